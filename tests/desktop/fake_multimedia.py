"""Stands for ``PySide6.QtMultimedia``: webcams that show what a test gives them."""

from dataclasses import dataclass, field
from types import ModuleType

from PySide6.QtCore import QObject, QSize, Signal
from PySide6.QtGui import QImage


@dataclass(frozen=True)
class Format:
    width: int
    height: int
    rate: float = 30.0

    def resolution(self) -> QSize:
        return QSize(self.width, self.height)

    def maxFrameRate(self) -> float:
        return self.rate


@dataclass(frozen=True)
class Device:
    name: str
    formats: tuple[Format, ...] = (
        Format(1920, 1080), Format(320, 240), Format(640, 480), Format(640, 480, 60),
    )  # fmt: skip

    def description(self) -> str:
        return self.name

    def videoFormats(self) -> list[Format]:
        return list(self.formats)


@dataclass(frozen=True)
class Frame:
    image: QImage

    def isValid(self) -> bool:
        return not self.image.isNull()

    def toImage(self) -> QImage:
        return self.image


@dataclass
class Webcams:
    """What the computer has, and what the app does with it."""

    devices: list[Device] = field(default_factory=lambda: [Device("Front")])
    error: str = ""
    cameras: list["QCamera"] = field(default_factory=list)
    sinks: list["QVideoSink"] = field(default_factory=list)
    lists: list["QMediaDevices"] = field(default_factory=list)

    @property
    def running(self) -> list[str]:
        """Names of the webcams that are turned on."""
        return [camera.device.name for camera in self.cameras if camera.runs]

    def show(self, image: QImage) -> None:
        """Let the webcam that was turned on last deliver a frame."""
        self.sinks[-1].videoFrameChanged.emit(Frame(image))

    def disconnect(self) -> None:
        """Pull all plugs."""
        self.devices.clear()
        for one in self.lists:
            one.videoInputsChanged.emit()

    def module(self) -> ModuleType:
        """Return a module that has these webcams."""
        module = ModuleType("PySide6.QtMultimedia")
        module.QMediaDevices = lambda parent: QMediaDevices(self, parent)
        module.QCamera = lambda device, parent: QCamera(self, device, parent)
        module.QVideoSink = lambda parent: QVideoSink(self, parent)
        module.QMediaCaptureSession = QMediaCaptureSession
        return module


class QMediaDevices(QObject):
    videoInputsChanged = Signal()

    def __init__(self, webcams: Webcams, parent: QObject) -> None:
        super().__init__(parent)
        self._webcams = webcams
        webcams.lists.append(self)

    def videoInputs(self) -> list[Device]:
        return list(self._webcams.devices)


class QCamera(QObject):
    errorOccurred = Signal(object, str)

    def __init__(self, webcams: Webcams, device: Device, parent: QObject) -> None:
        super().__init__(parent)
        self._webcams, self.device = webcams, device
        self.format: Format | None = None
        self.runs = False
        webcams.cameras.append(self)

    def setCameraFormat(self, one: Format) -> None:
        self.format = one

    def start(self) -> None:
        self.runs = True
        if self._webcams.error:
            self.errorOccurred.emit(1, self._webcams.error)

    def stop(self) -> None:
        self.runs = False


class QVideoSink(QObject):
    videoFrameChanged = Signal(object)

    def __init__(self, webcams: Webcams, parent: QObject) -> None:
        super().__init__(parent)
        webcams.sinks.append(self)


class QMediaCaptureSession(QObject):
    def setCamera(self, camera: QCamera) -> None:
        """Connect a camera."""

    def setVideoSink(self, sink: QVideoSink) -> None:
        """Connect a sink."""
