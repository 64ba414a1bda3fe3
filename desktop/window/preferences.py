"""Owns the Preferences: server, API key, colours, language."""

from dataclasses import replace

from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from desktop.api_key import KeyLocation
from desktop.settings import Settings, Theme, api_key_location, problem_with_server
from desktop.theme import without_icons
from service.client import DEFAULT_URL

LANGUAGES = {"en": "English", "de": "Deutsch"}


class Preferences(QDialog):
    """Asks for what people set once."""

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self.setWindowTitle(self.tr("Preferences"))
        self.online = QCheckBox(self.tr("Ask a &server when there is one"), self)
        self.online.setChecked(bool(settings.server))
        self.server = QLineEdit(settings.server or DEFAULT_URL, self)
        self.server.setMinimumWidth(300)
        self.api_key = QLineEdit(settings.api_key, self)
        self.api_key.setEchoMode(QLineEdit.EchoMode.PasswordEchoOnEdit)
        self.api_key.setPlaceholderText(self.tr("Only if the server wants one"))
        self.key_location = QLabel(self._key_location(), self)
        self.key_location.setWordWrap(True)
        self.key_location.setEnabled(False)
        self.theme = QComboBox(self)
        self.theme.addItem(self.tr("As the system"), Theme.SYSTEM)
        self.theme.addItem(self.tr("Light"), Theme.LIGHT)
        self.theme.addItem(self.tr("Dark"), Theme.DARK)
        self.theme.setCurrentIndex(list(Theme).index(settings.theme))
        self.language = QComboBox(self)
        self.language.addItem(self.tr("As the system"), "")
        for code, name in LANGUAGES.items():
            self.language.addItem(name, code)
        self.language.setCurrentIndex(max(self.language.findData(settings.language), 0))
        self.problem = QLabel(self)
        self.problem.setWordWrap(True)
        self.problem.hide()
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel, self
        )
        self.buttons.accepted.connect(self.accept)
        without_icons(self.buttons)
        self.buttons.rejected.connect(self.reject)
        self.online.toggled.connect(self._enable)
        self._enable(self.online.isChecked())
        self._lay_out()

    @property
    def settings(self) -> Settings:
        """What was entered."""
        return replace(
            self._settings,
            server=self.server.text().strip() if self.online.isChecked() else "",
            api_key=self.api_key.text().strip(),
            theme=self.theme.currentData(),
            language=self.language.currentData(),
        )

    def accept(self) -> None:
        """Close, unless something cannot be used; then say what."""
        problem = self._problem()
        if problem is None:
            super().accept()
        else:
            self.problem.setText(problem)
            self.problem.show()

    def _problem(self) -> str | None:
        settings = self.settings
        if settings.server and problem_with_server(settings.server) is not None:
            self.server.setFocus()
            return self.tr("This is no address of a server. Write one such as {0}.").format(DEFAULT_URL)
        if not settings.api_key.isascii():
            self.api_key.setFocus()
            return self.tr("An API key has only letters, digits and signs of ASCII.")
        return None

    def _key_location(self) -> str:
        match api_key_location():
            case KeyLocation.KEYRING:
                return self.tr("The key is stored in the keyring of this computer.")
            case KeyLocation.SETTINGS_FILE:
                return self.tr("Without a keyring, the key is stored as plain text in the settings file.")
            case KeyLocation.NONE:
                return self.tr("The key will be stored in the keyring, or else in the settings file.")

    def _enable(self, online: bool) -> None:
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
        note = QLabel(self.tr("Another language is shown after the next start."), self)
        note.setEnabled(False)
        form.addRow("", note)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 20, 20, 20)
        column.setSpacing(16)
        column.addLayout(form)
        column.addWidget(self.problem)
        column.addWidget(self.buttons)
