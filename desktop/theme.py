"""Defines the colours of the light and the dark theme."""

from collections.abc import Mapping
from types import MappingProxyType

from PySide6.QtCore import QCoreApplication, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QPainter, QPalette, QPen, QPixmap
from PySide6.QtWidgets import QApplication

from desktop.settings import Theme

# The names and values of the playground's colours: light, dark.
TOKENS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "paper": ("#f6f7f9", "#17191d"),
        "surface": ("#ffffff", "#202328"),
        "ink": ("#1b1f24", "#e9ebee"),
        "muted": ("#565e68", "#a3abb5"),
        "line": ("#868e98", "#6b7480"),
        "accent": ("#1f5fbf", "#6aa6ff"),
        "doubt-text": ("#7a4d00", "#ffc04d"),
        "doubt-fill": ("#b86e00", "#ffc04d"),
        "error": ("#b3261e", "#ffb4ab"),
    }
)
_ROLES = (
    (QPalette.ColorRole.Window, "paper"),
    (QPalette.ColorRole.WindowText, "ink"),
    (QPalette.ColorRole.Base, "surface"),
    (QPalette.ColorRole.Text, "ink"),
    (QPalette.ColorRole.PlaceholderText, "muted"),
    (QPalette.ColorRole.ButtonText, "ink"),
    (QPalette.ColorRole.BrightText, "error"),
    (QPalette.ColorRole.Highlight, "accent"),
    (QPalette.ColorRole.Accent, "accent"),
    (QPalette.ColorRole.Link, "accent"),
    (QPalette.ColorRole.ToolTipBase, "ink"),
)
# Shades of Qt's widgets that the tokens do not name.
_SHADES = (
    (QPalette.ColorRole.AlternateBase, "#eef0f3", "#1b1e22"),
    (QPalette.ColorRole.Button, "#ffffff", "#343941"),
    (QPalette.ColorRole.HighlightedText, "#ffffff", "#0b0d10"),
    (QPalette.ColorRole.LinkVisited, "#6b3fa0", "#c5a3ff"),
    (QPalette.ColorRole.ToolTipText, "#ffffff", "#15171a"),
    (QPalette.ColorRole.Light, "#ffffff", "#3a4048"),
    (QPalette.ColorRole.Midlight, "#e3e6ea", "#3b4149"),
    (QPalette.ColorRole.Mid, "#c3c8ce", "#5b636e"),
    (QPalette.ColorRole.Dark, "#8c939c", "#0e1013"),
    (QPalette.ColorRole.Shadow, "#5f666f", "#000000"),
)
_COMPARED = ("#0f766e", "#4fd1c5")
_ICON_SIZE = 128
_DISABLED_ROLES = (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText)


def names() -> dict[Theme, str]:
    """Return the names of the themes in the language of the window."""
    translate = QCoreApplication.translate
    return {
        Theme.SYSTEM: translate("Theme", "As the system"),
        Theme.LIGHT: translate("Theme", "Light"),
        Theme.DARK: translate("Theme", "Dark"),
    }


def apply(theme: Theme) -> None:
    """Set the colours of the application.

    Args:
        theme: For ``SYSTEM``, call this again when the system's colour scheme changes.
    """
    hints = QGuiApplication.styleHints()
    if theme is Theme.SYSTEM:
        hints.unsetColorScheme()
        dark = hints.colorScheme() is Qt.ColorScheme.Dark
    else:
        dark = theme is Theme.DARK
        hints.setColorScheme(Qt.ColorScheme.Dark if dark else Qt.ColorScheme.Light)
    QApplication.setPalette(palette(dark=dark))


def palette(*, dark: bool) -> QPalette:
    """Return the palette of the dark or the light theme."""
    colors = QPalette()
    for role, name in _ROLES:
        colors.setColor(role, QColor(TOKENS[name][dark]))
    for role, *shades in _SHADES:
        colors.setColor(role, QColor(shades[dark]))
    for role in _DISABLED_ROLES:
        colors.setColor(QPalette.ColorGroup.Disabled, role, QColor("#737a83" if dark else "#9299a1"))
    return colors


def is_dark(colors: QPalette) -> bool:
    """Return whether a palette is dark."""
    return colors.window().color().lightness() < colors.windowText().color().lightness()


def warning_colors(colors: QPalette) -> tuple[QColor, QColor]:
    """Return background and text colours of a warning, dark or light as the palette."""
    if is_dark(colors):
        return QColor("#4a3a12"), QColor("#ffe6a6")
    return QColor("#fff1cc"), QColor("#4d3800")


def color(name: str, colors: QPalette) -> QColor:
    """Return the colour of one of :data:`TOKENS`, dark or light as the palette."""
    return QColor(TOKENS[name][is_dark(colors)])


def compared_color(colors: QPalette) -> QColor:
    """Return the colour of the bars of a compared version, dark or light as the palette."""
    return QColor(_COMPARED[is_dark(colors)])


def text_palette(name: str, colors: QPalette) -> QPalette:
    """Return a palette for a text in the colour of one of :data:`TOKENS`; a disabled text stays grey."""
    result = QPalette(colors)
    for group in (QPalette.ColorGroup.Active, QPalette.ColorGroup.Inactive):
        result.setColor(group, QPalette.ColorRole.WindowText, color(name, colors))
    return result


def line_color(index: int, count: int, colors: QPalette) -> QColor:
    """Return the colour of one of several lines, with hues spread evenly."""
    hue = 360 * index // max(count, 1)
    return QColor.fromHsl(hue, 150, 170 if is_dark(colors) else 95)


def window_icon() -> QIcon:
    """Return the app's icon: a white seven on black, like the input of the networks."""
    picture = QPixmap(_ICON_SIZE, _ICON_SIZE)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(QColor("black"))
    painter.drawRoundedRect(QRectF(picture.rect()), _ICON_SIZE / 5, _ICON_SIZE / 5)
    pen = QPen(QColor("white"), _ICON_SIZE * 0.11)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.drawPolyline(
        [QPointF(x * _ICON_SIZE, y * _ICON_SIZE) for x, y in ((0.3, 0.27), (0.7, 0.27), (0.44, 0.75))]
    )
    painter.end()
    return QIcon(picture)
