"""Makes layouts, captions, fonts, buttons and file dialogs in the style of the app."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QApplication,
    QBoxLayout,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLayout,
    QVBoxLayout,
    QWidget,
)

# Margins in pixels.
PAGE_MARGIN, DIALOG_MARGIN = 16, 20
_FONT_FACTOR = "fontFactor"

Item: TypeAlias = QWidget | QLayout | None
Part: TypeAlias = Item | tuple[Item, int]


def row(*parts: Part, parent: QWidget | None = None, margin: int = 0, spacing: int | None = 8) -> QHBoxLayout:
    """Return a layout of parts side by side; arguments as for :func:`column`."""
    layout = QHBoxLayout()
    _fill(layout, parts, parent, margin, spacing)
    return layout


def column(
    *parts: Part, parent: QWidget | None = None, margin: int = 0, spacing: int | None = 8
) -> QVBoxLayout:
    """Return a layout of parts one below the other.

    Args:
        parts: Widgets and layouts, each alone or with its stretch factor; None for free space.
        parent: The widget to lay out; None for a layout within another one.
        margin: Margin at each side in pixels.
        spacing: Space between the parts in pixels; that of the outer layout if None.
    """
    layout = QVBoxLayout()
    _fill(layout, parts, parent, margin, spacing)
    return layout


def create_combo(
    name: str, items: Iterable[tuple[str, object]] = (), parent: QWidget | None = None
) -> QComboBox:
    """Return a combo box.

    Args:
        name: Name for screen readers; empty if a label with a mnemonic names it.
        items: Texts and data of the items.
        parent: Parent widget.
    """
    box = QComboBox(parent)
    box.setAccessibleName(name)
    for text, data in items:
        box.addItem(text, data)
    return box


def caption(text: str, field: QWidget) -> QLabel:
    """Return a label whose mnemonic moves the focus to a field."""
    label = QLabel(text, field.parentWidget())
    label.setBuddy(field)
    return label


def scale_font(widget: QWidget, factor: float, *, bold: bool = False) -> None:
    """Set the font of a widget to a multiple of the app's, now and whenever the app's changes."""
    widget.setProperty(_FONT_FACTOR, factor)
    font = widget.font()
    font.setPointSizeF(QApplication.font().pointSizeF() * factor)
    font.setBold(bold)
    widget.setFont(font)


def rescale_fonts() -> None:
    """Apply :func:`scale_font` again, after the font of the app changed."""
    for widget in QApplication.allWidgets():
        factor = widget.property(_FONT_FACTOR)
        if factor is not None:
            scale_font(widget, factor, bold=widget.font().bold())


def create_buttons(dialog: QDialog, kinds: QDialogButtonBox.StandardButton) -> QDialogButtonBox:
    """Return the buttons of a dialog, without the icons that some platforms add; they close the dialog."""
    buttons = QDialogButtonBox(kinds, dialog)
    for button in buttons.buttons():
        button.setIcon(QIcon())
    buttons.accepted.connect(dialog.accept)
    buttons.rejected.connect(dialog.reject)
    return buttons


def open_file_dialog(
    parent: QWidget,
    title: str,
    mode: QFileDialog.FileMode,
    on_chosen: Callable[[list[str]], object],
    *,
    folder: str = "",
    filters: str = "",
) -> None:
    """Ask for existing files or for a folder.

    Args:
        parent: Parent of the dialog.
        title: Title of the dialog.
        mode: What can be chosen.
        on_chosen: Called with the paths unless the user cancels.
        folder: Folder to start in.
        filters: Filters of file names in Qt's format.
    """
    dialog = QFileDialog(parent, title, folder, filters)
    dialog.setFileMode(mode)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.filesSelected.connect(on_chosen)
    dialog.open()


def _fill(
    layout: QBoxLayout, parts: tuple[Part, ...], parent: QWidget | None, margin: int, spacing: int | None
) -> None:
    if parent is not None:
        parent.setLayout(layout)
    layout.setContentsMargins(margin, margin, margin, margin)
    if spacing is not None:
        layout.setSpacing(spacing)
    for part in parts:
        item, stretch = part if isinstance(part, tuple) else (part, 0)
        if item is None:
            layout.addStretch(1)
        elif isinstance(item, QWidget):
            layout.addWidget(item, stretch)
        else:
            layout.addLayout(item, stretch)
