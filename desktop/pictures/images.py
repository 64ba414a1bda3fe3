"""Converts between Qt images, Pillow images, arrays and picture files."""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image
from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtGui import QImage

Pixels = npt.NDArray[np.uint8]

# Drawings are small: fast compression matters more than size.
_COMPRESS_LEVEL = 1
_JPEG_QUALITY = 95


def pillow_of(image: QImage) -> Image.Image:
    """Return an image as a Pillow image: mode ``L`` for 8-bit grey, else ``RGBA``."""
    grey = image.format() == QImage.Format.Format_Grayscale8
    image = image if grey else image.convertToFormat(QImage.Format.Format_RGBA8888)
    # A copy, because the memory belongs to the QImage.
    rows = np.array(image.constBits(), dtype=np.uint8).reshape(image.height(), image.bytesPerLine())
    width = image.width()
    return Image.fromarray(rows[:, :width] if grey else rows.reshape(image.height(), width, 4))


def encode_png(image: Image.Image) -> bytes:
    """Return an image as a PNG file."""
    stream = io.BytesIO()
    image.save(stream, "PNG", compress_level=_COMPRESS_LEVEL)
    return stream.getvalue()


def png_of_drawing(drawing: QImage) -> bytes:
    """Return an 8-bit grey image as a PNG file; safe to call from any thread."""
    return encode_png(pillow_of(drawing))


def png_of_picture(picture: QImage) -> bytes:
    """Return an image of any format as a PNG file."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    picture.save(buffer, "PNG")  # type: ignore[call-overload]  # The stubs want the format as bytes.
    return bytes(buffer.data().data())


def jpeg_of_picture(picture: QImage, *, side: int) -> bytes:
    """Return an image as a JPEG file, reduced to at most ``side`` pixels a side."""
    small = pillow_of(picture).convert("RGB")
    small.thumbnail((side, side))
    stream = io.BytesIO()
    small.save(stream, "JPEG", quality=_JPEG_QUALITY)
    return stream.getvalue()


def qimage_of_pixels(pixels: Pixels) -> QImage:
    """Return uint8 pixels (height, width) or (height, width, 3) as an image that owns its memory."""
    pixels = np.ascontiguousarray(pixels)
    height, width = pixels.shape[:2]
    grey = pixels.ndim == 2
    kind = QImage.Format.Format_Grayscale8 if grey else QImage.Format.Format_RGB888
    return QImage(pixels.data, width, height, pixels.strides[0], kind).copy()


def qimage_of_pillow(picture: Image.Image) -> QImage:
    """Return a Pillow image of mode ``L``, ``RGB`` or ``RGBA`` as an image that owns its memory."""
    rgba = np.asarray(picture.convert("RGBA"))
    height, width = rgba.shape[:2]
    return QImage(rgba.tobytes(), width, height, width * 4, QImage.Format.Format_RGBA8888).copy()
