"""The webcam: permission, devices, frames, and what is said where there is none."""

import sys
import threading
from types import SimpleNamespace

import PySide6
import pytest
from fake_multimedia import Device, Format, Webcams
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from desktop.teach.camera import Camera
from service.inference.program import install_command


def picture(color: str = "#336699", width: int = 64, height: int = 48) -> QImage:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor(color))
    return image


@pytest.fixture
def camera(qtbot: QtBot) -> Camera:
    return Camera()


def failure(qtbot: QtBot, camera: Camera) -> str:
    """Start a webcam that does not start, and return what it says."""
    with qtbot.waitSignal(camera.failed) as failed:
        camera.start()
    assert not camera.is_on
    return failed.args[0]


def test_a_webcam_delivers_frames_until_it_is_stopped(qtbot: QtBot, camera: Camera, webcams: Webcams) -> None:
    with qtbot.waitSignal(camera.started) as started:
        camera.start()
    assert started.args == [("Front",), "Front"]
    with qtbot.waitSignal(camera.frame_ready) as ready:
        webcams.show(picture())
    assert ready.args[0].pixelColor(0, 0) == QColor("#336699")

    camera.stop()
    assert webcams.running == []
    with qtbot.assertNotEmitted(camera.frame_ready):
        webcams.show(picture("#000000"))


def test_few_of_many_frames_are_delivered(qtbot: QtBot, camera: Camera, webcams: Webcams) -> None:
    seen = []
    camera.frame_ready.connect(seen.append)
    camera.start()
    for _ in range(50):
        webcams.show(picture())
    assert len(seen) == 1


def test_the_smallest_format_that_is_large_enough_is_used(
    qtbot: QtBot, camera: Camera, webcams: Webcams
) -> None:
    camera.start()
    assert webcams.cameras[-1].format == Format(640, 480, 60)
    webcams.devices[:] = [Device("Tiny", (Format(160, 120),))]
    camera.start()
    assert webcams.cameras[-1].format is None


def test_of_several_webcams_one_is_chosen_by_name(qtbot: QtBot, camera: Camera, webcams: Webcams) -> None:
    webcams.devices.append(Device("On the microscope"))
    with qtbot.waitSignal(camera.started) as started:
        camera.start("On the microscope")
    assert started.args == [("Front", "On the microscope"), "On the microscope"]
    camera.start("Unknown")
    assert webcams.running == ["Front"]


def test_without_a_webcam_the_way_out_is_said(qtbot: QtBot, camera: Camera, webcams: Webcams) -> None:
    webcams.devices.clear()
    assert failure(qtbot, camera) == "There is no webcam. Connect one, and try again."


def test_a_webcam_in_use_is_reported_with_the_cause(qtbot: QtBot, camera: Camera, webcams: Webcams) -> None:
    webcams.error = "Device busy"
    assert "Device busy" in failure(qtbot, camera)
    assert webcams.running == []


def test_a_webcam_that_is_disconnected_stops(qtbot: QtBot, camera: Camera, webcams: Webcams) -> None:
    camera.start()
    with qtbot.waitSignal(camera.failed) as failed:
        webcams.disconnect()
    assert "disconnected" in failed.args[0]
    assert not camera.is_on


def test_a_missing_package_is_named(qtbot: QtBot, camera: Camera, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PySide6.QtMultimedia", None)
    assert install_command(f"pyside6-addons=={PySide6.__version__}") in failure(qtbot, camera)


def test_a_missing_library_of_the_system_is_named(
    qtbot: QtBot, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(name: str) -> None:
        raise ImportError("libpulse.so.0: cannot open shared object file")

    monkeypatch.setattr("desktop.teach.camera.importlib", SimpleNamespace(import_module=broken))
    assert "libpulse.so.0" in failure(qtbot, camera)


@pytest.mark.parametrize("granted", [True, False])
def test_permission_is_asked_for(
    qtbot: QtBot, camera: Camera, webcams: Webcams, monkeypatch: pytest.MonkeyPatch, granted: bool
) -> None:
    status = [Qt.PermissionStatus.Undetermined]
    questions = []
    monkeypatch.setattr(QCoreApplication, "checkPermission", lambda *_: status[0])
    monkeypatch.setattr(QCoreApplication, "requestPermission", lambda *parts: questions.append(parts[-1]))
    camera.start()
    assert webcams.running == []
    status[0] = Qt.PermissionStatus.Granted if granted else Qt.PermissionStatus.Denied
    with qtbot.waitSignal(camera.started if granted else camera.failed) as answered:
        questions[0](None)
    assert camera.is_on == granted
    if not granted:
        assert "Allow it in the settings of the system" in answered.args[0]


def test_an_answer_after_the_webcam_was_stopped_starts_nothing(
    qtbot: QtBot, camera: Camera, webcams: Webcams, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = []
    monkeypatch.setattr(QCoreApplication, "checkPermission", lambda *_: Qt.PermissionStatus.Undetermined)
    monkeypatch.setattr(QCoreApplication, "requestPermission", lambda *parts: questions.append(parts[-1]))
    camera.start()
    camera.stop()
    monkeypatch.setattr(QCoreApplication, "checkPermission", lambda *_: Qt.PermissionStatus.Granted)
    questions[0](None)
    assert webcams.running == []


# Libraries of the system without which Qt uses slower ways.
@pytest.mark.qt_log_ignore("Couldn't (load|resolve) .*", "No RHI backend")
def test_frames_of_qts_own_module_are_delivered(
    qtbot: QtBot, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real module, whose only device is a null one: frames come through its sink, from another thread."""
    multimedia = pytest.importorskip("PySide6.QtMultimedia", exc_type=ImportError)
    device = multimedia.QCameraDevice()
    monkeypatch.setattr(multimedia.QMediaDevices, "videoInputs", lambda _: [device])
    made = []
    kind = multimedia.QVideoSink
    monkeypatch.setattr(multimedia, "QVideoSink", lambda parent: made.append(kind(parent)) or made[-1])
    with qtbot.waitSignal(camera.started):
        camera.start()
    threads = []
    camera.frame_ready.connect(lambda _: threads.append(threading.current_thread()))
    with qtbot.waitSignal(camera.frame_ready) as ready:
        frame = multimedia.QVideoFrame(picture())
        thread = threading.Thread(target=made[0].setVideoFrame, args=[frame])
        thread.start()
    thread.join()
    assert ready.args[0].pixelColor(0, 0) == QColor("#336699")
    assert threads == [threading.main_thread()]
    camera.stop()
