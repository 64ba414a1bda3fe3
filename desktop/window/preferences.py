"""Shows the preferences: server, API key, theme and language."""

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QFormLayout, QLabel, QLineEdit, QWidget

from desktop import theme
from desktop.api_key import KeyLocation, is_valid
from desktop.settings import SettingsStore, Theme, api_key_location, complete_server_url, server_url_error
from desktop.widgets import DIALOG_MARGIN, column, create_buttons, create_combo
from desktop.window.actions import create_action
from service.client import DEFAULT_URL

LANGUAGES = {"en": "English", "de": "Deutsch"}


def preferences_action(store: SettingsStore, window: QWidget) -> QAction:
    """Return the action that opens the preferences."""
    text = QCoreApplication.translate("PreferencesDialog", "&Preferences…")
    return create_action(
        window,
        text,
        lambda: PreferencesDialog(store, window).open(),
        "Ctrl+,",
        role=QAction.MenuRole.PreferencesRole,
    )


class PreferencesDialog(QDialog):
    """Edits the settings that users rarely change."""

    def __init__(self, store: SettingsStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store = store
        settings = store.settings
        self.setWindowTitle(self.tr("Preferences"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.online = QCheckBox(self.tr("Use a &server when it is available"), self)
        self.online.setChecked(bool(settings.server))
        self.server = QLineEdit(settings.server or DEFAULT_URL, self)
        self.server.setMinimumWidth(300)
        self.api_key = QLineEdit(store.api_key(), self)
        self.api_key.setEchoMode(QLineEdit.EchoMode.PasswordEchoOnEdit)
        self.api_key.setPlaceholderText(self.tr("Only if the server requires one"))
        self.key_location = QLabel(self._key_location(), self)
        self.key_location.setWordWrap(True)
        self.key_location.setPalette(theme.text_palette("muted", self.palette()))
        self.theme = create_combo("", ((name, value) for value, name in theme.names().items()), self)
        self.theme.setCurrentIndex(list(Theme).index(settings.theme))
        languages = ((name, code) for code, name in LANGUAGES.items())
        self.language = create_combo("", ((self.tr("As the system"), ""), *languages), self)
        self.language.setCurrentIndex(max(self.language.findData(settings.language), 0))
        self.error = QLabel(self)
        self.error.setWordWrap(True)
        self.error.hide()
        kinds = QDialogButtonBox.StandardButton
        self.buttons = create_buttons(self, kinds.Ok | kinds.Cancel)
        self.online.toggled.connect(self._enable_server)
        self._enable_server(self.online.isChecked())
        self._lay_out()

    def accept(self) -> None:
        """Save the settings and close; show an error if one of them is invalid."""
        server = complete_server_url(self.server.text()) if self.online.isChecked() else ""
        # A key that was copied from a mail may be broken into lines.
        api_key = "".join(self.api_key.text().split())
        error = self._error(server, api_key)
        if error is None:
            self._store.update(theme=self.theme.currentData(), language=self.language.currentData())
            self._store.set_server(server, api_key)
            super().accept()
        else:
            self.error.setText(error)
            self.error.show()

    def _error(self, server: str, api_key: str) -> str | None:
        if server and server_url_error(server) is not None:
            self.server.setFocus()
            return self.tr("This is not the address of a server. Use one such as {0}.").format(DEFAULT_URL)
        if not is_valid(api_key):
            self.api_key.setFocus()
            return self.tr("An API key consists of ASCII characters only.")
        return None

    def _key_location(self) -> str:
        match api_key_location():
            case KeyLocation.KEYRING:
                return self.tr("The key is stored in the keyring of this computer.")
            case KeyLocation.SETTINGS_FILE:
                return self.tr("Without a keyring, the key is stored as plain text in the settings file.")
            case KeyLocation.NONE:
                return self.tr("The key will be stored in the keyring, or else in the settings file.")

    def _enable_server(self, online: bool) -> None:
        self.server.setEnabled(online)
        self.api_key.setEnabled(online)

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setSpacing(12)
        form.addRow(self.online)
        form.addRow(self.tr("&Address"), self.server)
        form.addRow(self.tr("API &key"), self.api_key)
        form.addRow("", self.key_location)
        form.addRow(self.tr("&Colours"), self.theme)
        form.addRow(self.tr("&Language"), self.language)
        note = QLabel(self.tr("A new language takes effect at the next start."), self)
        note.setPalette(theme.text_palette("muted", self.palette()))
        form.addRow("", note)
        column(form, self.error, self.buttons, parent=self, margin=DIALOG_MARGIN, spacing=16)
