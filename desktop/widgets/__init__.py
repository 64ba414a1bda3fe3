"""Owns the parts that the main window is put together from, one file each."""
