"""Defines the colours of the light and the dark theme."""

from PySide6.QtCore import QCoreApplication, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QPainter, QPalette, QPen, QPixmap
from PySide6.QtWidgets import QApplication

from desktop.settings import Theme

_ROLES = (
    (QPalette.ColorRole.Window, "#f4f5f7", "#26292e"),
    (QPalette.ColorRole.WindowText, "#1b1f24", "#e7e9ec"),
    (QPalette.ColorRole.Base, "#ffffff", "#141619"),
    (QPalette.ColorRole.AlternateBase, "#eceef1", "#1d2024"),
    (QPalette.ColorRole.Text, "#1b1f24", "#e7e9ec"),
    (QPalette.ColorRole.PlaceholderText, "#666d76", "#9aa1aa"),
    (QPalette.ColorRole.Button, "#ffffff", "#383d45"),
    (QPalette.ColorRole.ButtonText, "#1b1f24", "#e7e9ec"),
    (QPalette.ColorRole.BrightText, "#b3261e", "#ffb4ab"),
    (QPalette.ColorRole.Highlight, "#1f5fbf", "#5b9dff"),
    (QPalette.ColorRole.HighlightedText, "#ffffff", "#0b0d10"),
    (QPalette.ColorRole.Accent, "#1f5fbf", "#5b9dff"),
    (QPalette.ColorRole.Link, "#1f5fbf", "#8ab8ff"),
    (QPalette.ColorRole.LinkVisited, "#6b3fa0", "#c5a3ff"),
    (QPalette.ColorRole.ToolTipBase, "#1b1f24", "#e7e9ec"),
    (QPalette.ColorRole.ToolTipText, "#ffffff", "#15171a"),
    (QPalette.ColorRole.Light, "#ffffff", "#3a4048"),
    (QPalette.ColorRole.Midlight, "#e3e6ea", "#3b4149"),
    (QPalette.ColorRole.Mid, "#c3c8ce", "#5b636e"),
    (QPalette.ColorRole.Dark, "#8c939c", "#0e1013"),
    (QPalette.ColorRole.Shadow, "#5f666f", "#000000"),
)
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
    for role, light_color, dark_color in _ROLES:
        colors.setColor(role, QColor(dark_color if dark else light_color))
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


def muted_color(colors: QPalette) -> QColor:
    """Return the colour of bars that are not highlighted."""
    return QColor("#7d8690" if is_dark(colors) else "#8c939c")


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
