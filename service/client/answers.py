"""Reads the responses of a server."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, get_args

import httpx
import msgspec

from service.client.errors import RequestRefused, UnexpectedAnswer
from service.inference.card import Card, parse_card
from service.inference.errors import InvalidInput, shorten
from service.inference.prediction import (
    MultiLabelPrediction,
    Prediction,
    Reason,
    Regression,
    Score,
    Value,
    WordContributions,
)
from service.inference.reading.reading import ReadDigit, Reading, split_lines

_Row = TypeVar("_Row")


@dataclass(frozen=True)
class ModelSummary:
    """One model in the server's list of models."""

    name: str
    version: int
    versions: Annotated[tuple[int, ...], msgspec.Meta(min_length=1)]
    title: str
    task: str
    labels: tuple[str, ...]


class _LabelScore(msgspec.Struct, frozen=True):
    """A label in a response; ``applies`` is set where several labels can apply at once."""

    label: str
    score: float
    applies: bool | None = None


_Rows = list[Annotated[tuple[_LabelScore, ...], msgspec.Meta(min_length=1)]]
_ValueRows = list[Annotated[tuple[Value, ...], msgspec.Meta(min_length=1)]]


class _ReadAnswer(msgspec.Struct, frozen=True):
    """A response of ``/models/{name}/read``."""

    model: str
    version: int
    lines: list[str]
    digits: list[ReadDigit]


@dataclass(frozen=True)
class Answer:
    """A response of a server.

    All methods raise RequestRefused for an error response, and UnexpectedAnswer for a response that does not
    come from a Lectern server.

    Attributes:
        response: The response.
        url: Address of the server, for messages.
    """

    response: httpx.Response
    url: str

    def predictions(self, model: str, count: int | None) -> list[Prediction]:
        """Return the predictions of labels.

        Args:
            model: Name of the model.
            count: Number of inputs; None if only the server knows it.

        Raises:
            InvalidInput: The model predicts values.
        """
        with self._content("predictions") as document:
            _refuse(document, "value", f"{model} predicts values and no labels; call predict_values")
            rows = msgspec.convert(_lists(document), _Rows)
            return [
                (Prediction if row[0].applies is None else MultiLabelPrediction)(
                    model=model,
                    version=version,
                    scores=tuple(Score(score.label, score.score) for score in row),
                    unsure=unsure,
                    reason=reason,
                )
                for row, version, unsure, reason in self._with_headers(rows, count)
            ]

    def regressions(self, model: str, count: int | None) -> list[Regression]:
        """Return the predictions of values; arguments as for :meth:`predictions`.

        Raises:
            InvalidInput: The model predicts labels.
        """
        with self._content("values") as document:
            _refuse(document, "score", f"{model} predicts labels and no values; call predict")
            rows = msgspec.convert(_lists(document), _ValueRows)
            return [
                Regression(model, version, row, unsure, reason)
                for row, version, unsure, reason in self._with_headers(rows, count)
            ]

    def reading(self) -> Reading:
        """Return the digits of a picture."""
        with self._content("digits") as document:
            answer = msgspec.convert(document, _ReadAnswer)
            return Reading(answer.model, answer.version, split_lines(answer.digits, answer.lines))

    def word_contributions(self) -> WordContributions:
        """Return what the words of a text contribute to a label."""
        with self._content("contributions of words") as document:
            return msgspec.convert(document, WordContributions)

    def summaries(self) -> list[ModelSummary]:
        """Return the models of the server."""
        with self._content("models") as document:
            return msgspec.convert(document["models"], list[ModelSummary])

    def card(self, model: str) -> Card:
        """Return the card of a model.

        Raises:
            CardError: The card is invalid.
        """
        return parse_card(self._document(), source=f"{self.url}, model {shorten(model)}")

    @contextmanager
    def _content(self, name: str) -> Iterator[Any]:
        """Yield the JSON of the response, and report that it lacks the content if it cannot be read."""
        document = self._document()
        try:
            yield document
        except (KeyError, TypeError, ValueError, msgspec.ValidationError):
            raise self._unexpected(f"without {name}") from None

    def _document(self) -> Any:
        response = self.response
        try:
            document = response.json()
        except (ValueError, RecursionError):
            raise self._unexpected("without JSON") from None
        if response.is_success:
            return document
        if not isinstance(document, Mapping) or not isinstance(document.get("error"), str):
            raise self._unexpected("without an error message")
        raise RequestRefused(
            document["error"],
            status=response.status_code,
            code=str(document.get("code", "error")),
            request_id=str(document.get("request_id", "")),
        )

    def _with_headers(
        self, rows: Sequence[_Row], count: int | None
    ) -> Iterator[tuple[_Row, int, bool, Reason | None]]:
        """Yield each row with the version that answered, whether it is unsure, and why.

        Raises:
            KeyError, ValueError: A header is missing, or there are not as many rows as expected.
        """
        headers = self.response.headers
        version = int(headers["X-Model-Version"])
        unsure = [word == "true" for word in headers["X-Lectern-Unsure"].split(",")]
        reasons = headers.get("X-Lectern-Reason", ",".join(["none"] * len(unsure))).split(",")
        # Servers of later versions can have reasons that this client does not know.
        known: dict[str, Reason] = {reason: reason for reason in get_args(Reason)}
        expected = range(len(rows) if count is None else count)
        for row, flag, reason, _ in zip(rows, unsure, reasons, expected, strict=True):
            yield row, version, flag, known.get(reason)

    def _unexpected(self, content: str) -> UnexpectedAnswer:
        status = self.response.status_code
        return UnexpectedAnswer(f"{self.url} answered {status} {content}; is it a Lectern server?")


def _lists(document: Any) -> Any:
    """Return a list of results for each input; a raw picture and a single row are answered with one list."""
    return document if not document or isinstance(document[0], list) else [document]


def _refuse(document: Any, field: str, message: str) -> None:
    """Refuse a response whose results have a field of another task.

    Raises:
        InvalidInput: They have it.
    """
    if any(isinstance(item, Mapping) and field in item for row in _lists(document)[:1] for item in row[:1]):
        raise InvalidInput(message)
