"""Owns the menu bar: what can be done, with which keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QMessageBox

from desktop.settings import Theme
from desktop.window.crash import log_file

if TYPE_CHECKING:
    from desktop.window.main_window import MainWindow

Keys = QKeySequence.StandardKey


class Menus(QObject):
    """The menus of the main window; every action is reachable by its attribute."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._fill_file()
        self._fill_edit()
        self._fill_view()
        self._fill_help()

    def _fill_file(self) -> None:
        menu = self._menu(self.tr("&File"))
        self.open = self._add(menu, self.tr("&Open pictures…"), self._open, Keys.Open)
        self.read_folder = self._add(menu, self.tr("Read a &folder…"), self._read_folder)
        self.read_folder.setShortcut(QKeySequence("Ctrl+Shift+O"))
        menu.addSeparator()
        self.save_picture = self._add(menu, self.tr("&Save picture…"), self._save_picture, Keys.Save)
        self.save_pixels = self._add(menu, self.tr("Save what the &network sees…"), self._save_pixels)
        self.save_result = self._add(menu, self.tr("Save &result…"), self._save_result)
        self.save_result.setShortcut(QKeySequence("Ctrl+Shift+S"))
        menu.addSeparator()
        self.preferences = self._add(
            menu, self.tr("&Preferences…"), self._window.open_preferences, Keys.Preferences
        )
        if self.preferences.shortcut().isEmpty():  # Only macOS has a standard one.
            self.preferences.setShortcut(QKeySequence("Ctrl+,"))
        self.preferences.setMenuRole(QAction.MenuRole.PreferencesRole)
        menu.addSeparator()
        self.quit = self._add(menu, self.tr("&Quit"), self._window.close, Keys.Quit)
        if self.quit.shortcut().isEmpty():  # Windows has none.
            self.quit.setShortcut(QKeySequence("Ctrl+Q"))
        self.quit.setMenuRole(QAction.MenuRole.QuitRole)

    def _fill_edit(self) -> None:
        menu = self._menu(self.tr("&Edit"))
        draw = self._window.draw_page
        for action in (draw.undo, draw.redo, draw.erase):
            menu.addAction(action)
        self.clear = self._add(menu, self.tr("&Clear"), self._clear)
        self.clear.setShortcut(QKeySequence("Ctrl+Backspace"))
        self.correct = self._add(menu, self.tr("&Wrong? Tell me…"), self._window.open_correction)
        self.correct.setShortcut(QKeySequence("Ctrl+T"))
        menu.addSeparator()
        self.copy_picture = self._add(menu, self.tr("&Copy picture"), self._copy_picture, Keys.Copy)
        self.copy_pixels = self._add(menu, self.tr("Copy what the &network sees"), self._copy_pixels)
        self.copy_result = self._add(menu, self.tr("Copy re&sult"), self._copy_result)
        self.copy_result.setShortcut(QKeySequence("Ctrl+Shift+C"))
        self.paste = self._add(menu, self.tr("&Paste picture"), self._window.paste, Keys.Paste)

    def _fill_view(self) -> None:
        menu = self._menu(self.tr("&View"))
        self.tabs = []
        tabs = self._window.tabs
        for index in range(tabs.count()):
            turn = self._add(
                menu, tabs.tabText(index), lambda _=False, index=index: tabs.setCurrentIndex(index)
            )
            turn.setShortcut(QKeySequence(f"Ctrl+{index + 1}"))
            self.tabs.append(turn)
        menu.addSeparator()
        menu.addAction(self._window.why.action)
        menu.addAction(self._window.compare.action)
        self.replay = self._add(menu, self.tr("&Replay the drawing…"), self._window.open_replay)
        self.replay.setShortcut(QKeySequence("Ctrl+R"))
        self.card = self._add(menu, self.tr("About this &model…"), self._window.open_card)
        self.card.setShortcut(QKeySequence("Ctrl+I"))
        self.themes = QActionGroup(self)
        colors = menu.addMenu(self.tr("&Colours"))
        names = {
            Theme.SYSTEM: self.tr("As the &system"),
            Theme.LIGHT: self.tr("&Light"),
            Theme.DARK: self.tr("&Dark"),
        }
        for theme, name in names.items():
            action = self._add(colors, name, lambda _=False, theme=theme: self._use_theme(theme))
            action.setCheckable(True)
            action.setChecked(theme is self._window.settings.theme)
            self.themes.addAction(action)

    def _fill_help(self) -> None:
        menu = self._menu(self.tr("&Help"))
        self.about = self._add(menu, self.tr("&About Lectern"), self._about)
        self.about.setMenuRole(QAction.MenuRole.AboutRole)

    def _about(self) -> None:
        words = self.tr(
            "Lectern shows what the networks of a deep-learning lecture make of drawings and pictures.\n\n"
            "It asks no other computer than the server that was set.\n\nLog: {0}"
        ).format(log_file())
        box = QMessageBox(QMessageBox.Icon.NoIcon, self.tr("About Lectern"), words, parent=self._window)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()

    def _clear(self) -> None:
        if self._window.page.isVisible():
            self._window.page.clear()

    def _open(self) -> None:
        self._window.tabs.setCurrentWidget(self._window.pictures_page)
        self._window.pictures_page.open_files()

    def _read_folder(self) -> None:
        self._window.tabs.setCurrentWidget(self._window.folder_page)
        self._window.folder_page.ask_for_folder()

    def _copy_picture(self) -> None:
        picture = self._window.page.picture()
        if not picture.isNull():
            self._window.sharer.copy_picture(picture)

    def _copy_pixels(self) -> None:
        if not self._window.panel.preview.image.isNull():
            self._window.sharer.copy_picture(self._window.panel.preview.image)

    def _copy_result(self) -> None:
        if self._window.answer is not None:
            self._window.sharer.copy_reading(self._window.answer.reading)

    def _save_picture(self) -> None:
        picture = self._window.page.picture()
        if not picture.isNull():
            self._window.sharer.save_picture(picture, self.tr("drawing") + ".png")

    def _save_pixels(self) -> None:
        if not self._window.panel.preview.image.isNull():
            self._window.sharer.save_picture(self._window.panel.preview.image, self.tr("seen") + ".png")

    def _save_result(self) -> None:
        if self._window.answer is not None:
            self._window.sharer.save_reading(self._window.answer.reading, self.tr("result"))

    def _use_theme(self, theme: Theme) -> None:
        self._window.use_settings(replace(self._window.settings, theme=theme))

    def _menu(self, title: str) -> QMenu:
        return self._window.menuBar().addMenu(title)

    def _add(self, menu: QMenu, text: str, slot: Callable[..., object], keys: Keys | None = None) -> QAction:
        action = QAction(text, self._window)
        if keys is not None:
            action.setShortcuts(QKeySequence.keyBindings(keys))
        action.triggered.connect(slot)
        menu.addAction(action)
        return action
