"""Makes actions and menus."""

from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QActionGroup, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu, QMessageBox

from desktop import theme
from desktop.settings import Settings, SettingsStore, Theme
from desktop.window.crash import log_file

Keys = QKeySequence.StandardKey | str


def create_action(
    parent: QObject,
    text: str,
    slot: Callable[[], object],
    keys: Keys | None = None,
    *,
    role: QAction.MenuRole = QAction.MenuRole.TextHeuristicRole,
) -> QAction:
    """Return an action.

    Args:
        parent: The component that performs the action.
        text: Text in menus and on buttons.
        slot: Called without arguments when the action is triggered.
        keys: A standard key or a sequence such as ``Ctrl+T``; no shortcut if None.
        role: Place of the action in the menus of macOS.
    """
    action = QAction(text, parent)
    action.setMenuRole(role)
    if isinstance(keys, str):
        action.setShortcut(QKeySequence(keys))
    elif keys is not None:
        action.setShortcuts(QKeySequence.keyBindings(keys))
    action.triggered.connect(lambda: slot())
    return action


def add_menu(window: QMainWindow, title: str, *sections: Sequence[QAction]) -> QMenu:
    """Add a menu to a window, with separators between the sections, and return it.

    The window has the actions too, because the shortcuts of a hidden menu bar do not work.
    """
    menu = window.menuBar().addMenu(title)
    for index, section in enumerate(sections):
        window.addActions(section)
        if index:
            menu.addSeparator()
        menu.addActions(section)
    return menu


class AboutAction(QAction):
    """Shows what the app is, and where its log is."""

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.setText(self.tr("&About Lectern"))
        self.setMenuRole(QAction.MenuRole.AboutRole)
        self.triggered.connect(self._show)

    def _show(self) -> None:
        try:
            number = version("lectern")
        except PackageNotFoundError:
            number = self.tr("unknown")
        text = self.tr(
            "Version {1}, licensed under Apache 2.0.\n\n"
            "Lectern shows how the networks of a deep-learning course classify drawings, pictures and texts."
            "\n\nIt connects to no other computer than its server. Training also downloads data sets and "
            "packages.\n\nLog file: {0}"
        )
        icon, title = QMessageBox.Icon.NoIcon, self.tr("About Lectern")
        box = QMessageBox(icon, title, text.format(log_file(), number), parent=self._window)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()


class ThemeActions(QActionGroup):
    """Checkable actions that choose the theme; applies the theme of the settings whenever it changes."""

    def __init__(self, store: SettingsStore, parent: QObject) -> None:
        super().__init__(parent)
        self._applied = store.settings.theme
        for value, name in theme.names().items():
            action = self.addAction(name)
            action.setCheckable(True)
            action.setData(value)
        self.triggered.connect(lambda action: store.update(theme=action.data()))
        store.changed.connect(self._apply)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow_system)
        self._check(store.settings.theme)

    def _apply(self, settings: Settings) -> None:
        if settings.theme is not self._applied:
            self._applied = settings.theme
            theme.apply(settings.theme)
        self._check(settings.theme)

    def _follow_system(self) -> None:
        if self._applied is Theme.SYSTEM:
            theme.apply(Theme.SYSTEM)

    def _check(self, current: Theme) -> None:
        for action in self.actions():
            action.setChecked(action.data() is current)
