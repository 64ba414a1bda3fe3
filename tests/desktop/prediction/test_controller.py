"""The prediction controller with a page and a backend that are stubs."""

from collections.abc import Iterator, Sequence

import pytest
from PIL import Image
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from desktop.prediction.backends import Input, Location, PredictionResult
from desktop.prediction.connection import Connection
from desktop.prediction.controller import PredictionController
from desktop.prediction.requests import PredictionRequest, PredictionResponse, Value
from desktop.prediction.worker import close_workers
from desktop.settings import Settings, SettingsStore
from service.client import ModelSummary
from service.inference import Card, LecternError, Prediction, Score
from service.inference.errors import BlankImage, ModelNotFound

REVIEWS = ModelSummary("imdb", 2, (1, 2), "Film reviews", "text-classification", ("bad", "good"))
DIGITS = ModelSummary("mnist", 1, (1,), "Digits", "image-classification", tuple("0123456789"))


class StubBackend:
    """Predicts the version as label, and counts its requests."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, object, int | None]] = []
        self.error: LecternError | None = None
        self.loaded: list[tuple[str, int | None]] = []

    def models(self) -> tuple[ModelSummary, ...]:
        return DIGITS, REVIEWS

    def card(self, model: str, version: int | None) -> Card:
        raise ModelNotFound(model)

    def load(self, model: str, version: int | None) -> None:
        self.loaded.append((model, version))

    def predict(self, model: str, inputs: Sequence[Input], *, version: int | None) -> list[PredictionResult]:
        self.requests.extend((model, value, version) for value in inputs)
        if self.error is not None:
            raise self.error
        prediction = Prediction(model, version or 0, (Score(str(version), 1.0),), unsure=False)
        return [PredictionResult(prediction, Location.LOCAL, 0.1) for _ in inputs]

    def close(self) -> None:
        pass


class StubPage(QObject):
    """A page with a value that tests set."""

    key = "stub"
    changed = Signal()
    settled = Signal()

    def __init__(self, task: str, value: Value | None = None, others: Sequence[Value] = ()) -> None:
        super().__init__()
        self.task, self.content, self.others = task, value, others
        self.models: list[ModelSummary | None] = []
        self.predictions: list[tuple[Value, Prediction]] = []

    def accepts(self, model: ModelSummary) -> bool:
        return model.task == self.task

    def value(self) -> Value | None:
        return self.content

    def other_values(self) -> Sequence[Value]:
        return self.others

    def set_model(self, model: ModelSummary | None) -> None:
        self.models.append(model)

    def record_result(self, value: Value, result: PredictionResult) -> None:
        self.predictions.append((value, result.prediction))

    def origin(self) -> object:
        return ("origin", self.content)

    def type(self, text: str) -> None:
        self.content = text
        self.changed.emit()


@pytest.fixture
def backend() -> StubBackend:
    return StubBackend()


@pytest.fixture
def controller(qtbot: QtBot, backend: StubBackend) -> Iterator[PredictionController]:
    """A connected controller that uses version 2 of the first model that fits."""
    store = SettingsStore(Settings(server=""))
    connection = Connection(backend, store)
    controller = PredictionController(connection, store)
    with qtbot.waitSignal(connection.changed):
        connection.connect_backend()
    yield controller
    close_workers(controller)
    connection.close()


def test_a_page_offers_its_models_and_is_predicted(
    qtbot: QtBot, controller: PredictionController, backend: StubBackend
) -> None:
    page = StubPage("text-classification", "good")
    with qtbot.waitSignal(controller.completed) as completed:
        controller.set_page(page)
    assert controller.models == (REVIEWS,)
    assert page.models[-1] is controller.model is REVIEWS
    request = completed.args[0].request
    assert (request.model, request.version, request.value, request.settled) == ("imdb", 2, "good", True)
    assert request.origin == page.origin()
    assert controller.response is completed.args[0]
    assert page.predictions == [("good", completed.args[0].result.prediction)]


def test_another_version_predicts_the_same_content_again(
    qtbot: QtBot, controller: PredictionController
) -> None:
    with qtbot.waitSignal(controller.completed):
        controller.set_page(StubPage("text-classification", "good"))
    responses: list[object] = []
    controller.response_changed.connect(responses.append)
    with qtbot.waitSignal(controller.completed) as completed:
        controller.choose_model(REVIEWS, 1)
    assert completed.args[0].result.prediction.version == 1
    assert responses == [None, completed.args[0]]
    controller.choose_model(REVIEWS, 1)
    assert controller.response is completed.args[0]


def test_edits_are_predicted_and_an_empty_page_has_no_response(
    qtbot: QtBot, controller: PredictionController
) -> None:
    page = StubPage("text-classification")
    controller.set_page(page)
    with qtbot.waitSignal(controller.completed) as completed:
        page.type("good")
    assert not completed.args[0].request.settled
    assert completed.args[0].request.origin is None
    page.content = None
    page.changed.emit()
    assert controller.response is None


def test_a_former_page_is_no_longer_predicted(
    qtbot: QtBot, controller: PredictionController, backend: StubBackend
) -> None:
    former = StubPage("text-classification", "former")
    with qtbot.waitSignal(controller.completed):
        controller.set_page(former)
    controller.set_page(None)
    count = len(backend.requests)
    former.type("former, changed")
    with qtbot.waitSignal(controller.completed):
        controller.set_page(StubPage("text-classification", "current"))
    assert [value for _, value, _ in backend.requests[count:]] == ["current"]


def test_the_compared_version_is_predicted_too(qtbot: QtBot, controller: PredictionController) -> None:
    controller.compared_version = 1
    with qtbot.waitSignal(controller.comparison_completed) as compared:
        controller.set_page(StubPage("text-classification", "good"))
    assert compared.args[0].result.prediction.version == 1
    assert controller.response is not None
    assert controller.response.result.prediction.version == 2


def test_other_pictures_are_recorded_but_not_shown(qtbot: QtBot, controller: PredictionController) -> None:
    page = StubPage("image-classification", b"current", [b"other"])
    controller.set_page(page)
    qtbot.waitUntil(lambda: len(page.predictions) == 2)
    assert [value for value, _ in page.predictions] == [b"current", b"other"]
    assert controller.response is not None
    assert controller.response.request.value == b"current"


def test_the_response_of_another_picture_is_outdated_at_once(
    qtbot: QtBot, controller: PredictionController
) -> None:
    page = StubPage("image-classification", b"first")
    with qtbot.waitSignal(controller.completed):
        controller.set_page(page)
    outdated: list[None] = []
    controller.outdated.connect(lambda: outdated.append(None))
    page.settled.emit()  # Another picture was loaded behind the first one.
    assert (len(outdated), controller.response is None) == (0, False)

    page.content = b"second"
    with qtbot.waitSignal(controller.completed) as completed:
        page.settled.emit()
        assert (len(outdated), controller.response) == (1, None)
    assert controller.response is completed.args[0]
    controller.restore(PredictionResponse(PredictionRequest("mnist", 1, b"third"), completed.args[0].result))
    page.content = controller.response.request.value
    page.settled.emit()
    assert len(outdated) == 1


def test_edits_do_not_outdate_the_response(qtbot: QtBot, controller: PredictionController) -> None:
    page = StubPage("text-classification", "good")
    with qtbot.waitSignal(controller.completed):
        controller.set_page(page)
    with qtbot.assertNotEmitted(controller.outdated), qtbot.waitSignal(controller.completed):
        page.type("better")
        assert controller.response is not None


def test_an_erased_drawing_is_empty_and_a_blank_file_is_an_error(
    qtbot: QtBot, controller: PredictionController, backend: StubBackend
) -> None:
    backend.error = BlankImage("blank")
    image = QImage(4, 4, QImage.Format.Format_Grayscale8)
    image.fill(QColor("black"))
    errors: list[object] = []
    controller.failed.connect(errors.append)
    controller.set_page(StubPage("image-classification", image))
    with qtbot.waitSignal(controller.response_changed) as changed:
        qtbot.waitUntil(lambda: bool(backend.requests))
    assert changed.args == [None]
    assert errors == []
    assert isinstance(backend.requests[0][1], Image.Image)
    with qtbot.waitSignal(controller.failed):
        controller.set_page(StubPage("image-classification", b"blank file"))
    assert controller.response is None


def test_a_restored_response_is_shown_without_a_prediction(
    qtbot: QtBot, controller: PredictionController, backend: StubBackend
) -> None:
    with qtbot.waitSignal(controller.completed):
        controller.set_page(StubPage("text-classification", "good"))
    count = len(backend.requests)
    result = PredictionResult(Prediction("imdb", 1, (Score("bad", 1.0),), unsure=False), Location.SERVER, 1.0)
    earlier = PredictionResponse(PredictionRequest("imdb", 1, "bad"), result)
    completed: list[object] = []
    controller.completed.connect(completed.append)
    controller.restore(earlier)
    assert controller.response is earlier
    assert (controller.model, controller.version) == (REVIEWS, 1)
    assert (len(backend.requests), completed) == (count, [])


def test_a_model_is_loaded_before_there_is_something_to_predict(
    qtbot: QtBot, controller: PredictionController, backend: StubBackend
) -> None:
    controller.set_page(StubPage("text-classification"))
    qtbot.waitUntil(lambda: backend.loaded == [("imdb", 2)])
    assert backend.requests == []
