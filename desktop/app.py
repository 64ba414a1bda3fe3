"""Owns the start of the app: style, language, crash hook, window."""

import sys
from pathlib import Path

from PySide6.QtCore import QLibraryInfo, QLocale, QTimer, QTranslator
from PySide6.QtWidgets import QApplication

from desktop import settings as remembered
from desktop import theme
from desktop.settings import Settings
from desktop.window.crash import CrashHook, open_log
from desktop.window.main_window import MainWindow

_TRANSLATIONS = Path(__file__).parent / "translations"


def run(*, models: Path | None = None, server: str | None = None, offline: bool = False) -> int:
    """Open the window and stay until it is closed.

    Args:
        models: Folder of the models on this computer; Lectern's own if None.
        server: Address to use in place of the remembered one, for this time only.
        offline: Look for no server.

    Returns:
        The exit status.
    """
    app = QApplication(sys.argv[:1])
    app.setOrganizationName(remembered.ORGANIZATION)
    app.setApplicationName(remembered.APPLICATION)
    app.setApplicationDisplayName("Lectern")
    open_log()
    CrashHook(app).install()
    settings = remembered.load()
    apply_style(app, settings)
    window = MainWindow(settings, models=models, server=server, offline=offline)
    window.show()
    # The first paint comes before the models and the server.
    QTimer.singleShot(0, window.start)
    return app.exec()


def apply_style(app: QApplication, settings: Settings) -> None:
    """Give the application its style, colours and language."""
    app.setStyle("fusion")
    app.setWindowIcon(theme.window_icon())
    theme.apply(settings.theme)
    locale = QLocale(settings.language) if settings.language else QLocale.system()
    QLocale.setDefault(locale)
    for old in app.findChildren(QTranslator):
        app.removeTranslator(old)
        old.deleteLater()
    for name, folder in (
        ("qtbase", Path(QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath))),
        ("lectern", _TRANSLATIONS),
    ):
        translator = QTranslator(app)
        if translator.load(locale, name, "_", str(folder)):
            app.installTranslator(translator)
