"""The main window, its dialogs, messages and exports."""
