"""Makes the actions that components offer to the menus."""

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QActionGroup, QKeySequence

from desktop import theme
from desktop.settings import Settings, SettingsStore

Keys = QKeySequence.StandardKey | str


def create_action(
    parent: QObject, text: str, slot: Callable[[], object], keys: Keys | None = None
) -> QAction:
    """Return an action.

    Args:
        parent: The component that performs the action.
        text: Text in menus and on buttons.
        slot: Called without arguments when the action is triggered.
        keys: A standard key or a sequence such as ``Ctrl+T``; no shortcut if None.
    """
    action = QAction(text, parent)
    if isinstance(keys, str):
        action.setShortcut(QKeySequence(keys))
    elif keys is not None:
        action.setShortcuts(QKeySequence.keyBindings(keys))
    action.triggered.connect(lambda: slot())
    return action


class ThemeActions(QActionGroup):
    """Checkable actions that choose the theme; the checked one always is the theme of the settings."""

    def __init__(self, store: SettingsStore, parent: QObject) -> None:
        super().__init__(parent)
        self._store = store
        for value, name in theme.names().items():
            action = self.addAction(name)
            action.setCheckable(True)
            action.setData(value)
        self.triggered.connect(lambda action: store.update(theme=action.data()))
        store.changed.connect(self._check)
        self._check(store.settings)

    def _check(self, settings: Settings) -> None:
        for action in self.actions():
            action.setChecked(action.data() is settings.theme)
