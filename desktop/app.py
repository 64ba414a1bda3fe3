"""Starts the app: style, language, crash handling and window."""

import sys
from pathlib import Path

from PySide6.QtCore import QLibraryInfo, QLocale, Qt, QTimer, QTranslator
from PySide6.QtWidgets import QApplication

from desktop import settings as stored
from desktop import theme
from desktop.interrupt import InterruptHandler
from desktop.prediction.worker import join_closed_workers
from desktop.session.store import session_file
from desktop.settings import Settings
from desktop.window.crash import CrashHook, open_log
from desktop.window.main_window import MainWindow
from desktop.zoom import apply_zoom

_TRANSLATIONS = Path(__file__).parent / "translations"
# Longer than the timeout of a server that does not respond.
_JOIN_TIMEOUT_S = 3.0


def run(*, models: Path | None = None, server: str | None = None, offline: bool = False) -> int:
    """Show the window until it is closed.

    Args:
        models: Folder of the local models; the bundled models if None.
        server: URL to use in place of the stored one, for this start only.
        offline: Use no server.

    Returns:
        The exit status.
    """
    # Without this, a busy window gets only some points of a stroke on X11.
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_CompressHighFrequencyEvents, False)
    app = QApplication(sys.argv[:1])
    app.setOrganizationName(stored.ORGANIZATION)
    app.setApplicationName(stored.APPLICATION)
    app.setApplicationDisplayName("Lectern")
    open_log()
    CrashHook(app).install()
    settings = stored.load()
    apply_style(app, settings)
    window = MainWindow(settings, models=models, server=server, offline=offline, session=session_file())
    window.show()
    # Paint first, then load the models and try the server.
    QTimer.singleShot(0, window.start)
    InterruptHandler(app).install()
    status = app.exec()
    join_closed_workers(_JOIN_TIMEOUT_S)
    return status


def apply_style(app: QApplication, settings: Settings) -> None:
    """Set style, theme and language of the application."""
    app.setStyle("fusion")
    app.setWindowIcon(theme.window_icon())
    theme.apply(settings.theme)
    apply_zoom(settings.zoom)
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
