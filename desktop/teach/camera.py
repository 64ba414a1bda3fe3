"""Delivers the frames of a webcam, if Qt's multimedia module is installed."""

import importlib
import time
from types import ModuleType
from typing import Any

import PySide6
from PySide6.QtCore import QCameraPermission, QCoreApplication, QObject, Qt, Signal, Slot

from service.inference.program import install_command

# Networks read fewer pixels than a frame of this height has.
_MIN_SIDE = 480
# Fifteen frames per second look live, and leave the window's thread its time.
_INTERVAL_S = 1 / 15
_PACKAGE = f"pyside6-addons=={PySide6.__version__}"


class Camera(QObject):
    """A webcam that is off until it is started.

    Signals:
        started: A webcam was turned on; carries the names of all webcams, and the name of that one.
        frame_ready: A QImage of what it shows, at most 15 per second.
        failed: No webcam can be used, or it stopped; carries the cause and the way out, for people.
    """

    started = Signal(tuple, str)
    frame_ready = Signal(object)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._wanted = False
        self._name = ""
        self._last_s = 0.0
        # The objects of the multimedia module: capture session, its camera and sink, and the list of devices.
        self._session: Any = None
        self._camera: Any = None
        self._sink: Any = None
        self._devices: Any = None

    @property
    def is_on(self) -> bool:
        """Whether a webcam is turned on."""
        return self._camera is not None

    def start(self, name: str = "") -> None:
        """Turn a webcam on, after asking for permission where the system wants that.

        Args:
            name: Name of the webcam; the first one if no webcam has this name.
        """
        self.stop()
        self._wanted, self._name = True, name
        app, permission = QCoreApplication.instance(), QCameraPermission()
        assert app is not None
        if app.checkPermission(permission) == Qt.PermissionStatus.Undetermined:
            app.requestPermission(permission, self, lambda *_: self._apply(app.checkPermission(permission)))
        else:
            self._apply(app.checkPermission(permission))

    def stop(self) -> None:
        """Turn the webcam off; no frame comes after that."""
        self._wanted = False
        camera, self._camera = self._camera, None
        if camera is not None:
            camera.stop()
            for part in (self._session, camera, self._sink, self._devices):
                part.deleteLater()
        self._session = self._sink = self._devices = None

    def _apply(self, status: Qt.PermissionStatus) -> None:
        if not self._wanted:
            return
        if status != Qt.PermissionStatus.Granted:
            self._fail(self.tr("Lectern may not use the webcam. Allow it in the settings of the system."))
            return
        try:
            multimedia = importlib.import_module("PySide6.QtMultimedia")
        except ModuleNotFoundError:
            text = self.tr("The webcam needs a further package. Install it: {0}")
            self._fail(text.format(install_command(_PACKAGE)))
        except ImportError as error:
            text = self.tr("Qt’s multimedia module cannot be loaded ({0}). Install the missing library.")
            self._fail(text.format(error))
        else:
            self._open(multimedia)

    def _open(self, multimedia: ModuleType) -> None:
        self._devices = multimedia.QMediaDevices(self)
        inputs = self._devices.videoInputs()
        if not inputs:
            self._fail(self.tr("There is no webcam. Connect one, and try again."))
            return
        device = next((one for one in inputs if one.description() == self._name), inputs[0])
        self._name = device.description()
        self._camera = multimedia.QCamera(device, self)
        small = _smallest_format(device)
        if small is not None:
            self._camera.setCameraFormat(small)
        self._sink = multimedia.QVideoSink(self)
        self._session = multimedia.QMediaCaptureSession(self)
        self._session.setCamera(self._camera)
        self._session.setVideoSink(self._sink)
        self._sink.videoFrameChanged.connect(self._deliver)
        self._camera.errorOccurred.connect(self._report)
        self._devices.videoInputsChanged.connect(self._check_devices)
        self._camera.start()
        if self._camera is not None:  # It can fail at once.
            self.started.emit(tuple(one.description() for one in inputs), self._name)

    @Slot(object)
    def _deliver(self, frame: Any) -> None:
        now = time.monotonic()
        if self._camera is None or not frame.isValid() or now - self._last_s < _INTERVAL_S:
            return
        self._last_s = now
        image = frame.toImage()
        if not image.isNull():
            self.frame_ready.emit(image)

    def _report(self, _: object, cause: str) -> None:
        if self._camera is not None:
            text = self.tr("The webcam cannot be used ({0}). Close other programs that use it.")
            self._fail(text.format(cause))

    @Slot()
    def _check_devices(self) -> None:
        names = [one.description() for one in self._devices.videoInputs()]
        if self._camera is not None and self._name not in names:
            self._fail(self.tr("The webcam was disconnected. Connect it, and try again."))

    def _fail(self, text: str) -> None:
        self.stop()
        self.failed.emit(text)


def _smallest_format(device: Any) -> Any:
    """Return the smallest format of a device that is large enough, and the fastest of equal ones."""

    def size(one: Any) -> tuple[int, int]:
        return one.resolution().width() * one.resolution().height(), -one.maxFrameRate()

    formats = device.videoFormats()
    large = [one for one in formats if min(one.resolution().width(), one.resolution().height()) >= _MIN_SIDE]
    return min(large, key=size, default=None)
