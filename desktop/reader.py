"""Owns reading: takes what is to be read, lets workers see to it, and tells what came of it."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtGui import QImage

from desktop.backends import Reading
from desktop.dispatcher import Dispatcher, Standing
from desktop.images import pillow_of, png_of_drawing
from desktop.seeing import seen
from desktop.worker import Worker
from service.client import RequestRefused
from service.inference import LecternError
from service.inference.errors import InputError
from service.inference.preprocessing import decode_image

Value: TypeAlias = QImage | bytes | str

_FIRST_PAUSE_MS, _LONGEST_PAUSE_MS = 3_000, 60_000


@dataclass(frozen=True)
class Question:
    """Something to be read.

    Attributes:
        model: Name of the model to ask.
        version: One of its versions; the default one if None.
        value: A drawing (8-bit grey), the bytes of a picture file, or a text.
        settled: Whether it is done, rather than in the making.
        origin: Whatever the asker wants to find again in the answer.
    """

    model: str
    version: int | None
    value: Value
    settled: bool = True
    origin: object = None


@dataclass(frozen=True)
class Answer:
    """What came of a question."""

    question: Question
    reading: Reading


@dataclass(frozen=True)
class Sight:
    """What the network sees of a question: uint8 pixels (height, width) or (height, width, 3)."""

    question: Question
    pixels: npt.NDArray[np.uint8]


class Reader(QObject):
    """Reads on threads of its own; while one question is being read, only the newest other one waits.

    Signals:
        answered: An :class:`Answer`.
        sighted: A :class:`Sight`; comes without waiting for a slow server.
        refused: The LecternError why there is no answer.
        carded: A Card that was asked for.
        stood: A :class:`Standing`, whenever it is another one.
    """

    answered = Signal(object)
    sighted = Signal(object)
    refused = Signal(object)
    carded = Signal(object)
    stood = Signal(object)

    def __init__(self, dispatcher: Dispatcher, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._dispatcher = dispatcher
        self._standing: Standing | None = None
        self._pause_ms = _FIRST_PAUSE_MS
        self._number = 0
        self._reads = Worker("reads", self)
        self._sees = Worker("sees", self)
        self._looks = Worker("looks", self)
        self._cards = Worker("cards", self)
        self._reads.came.connect(self._answer)
        self._reads.refused.connect(self._refuse)
        self._sees.came.connect(self.sighted)
        self._looks.came.connect(self._tell_standing)
        self._cards.came.connect(self.carded)
        self._cards.refused.connect(self.refused)
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.timeout.connect(self.look)

    @property
    def dispatcher(self) -> Dispatcher:
        """Who is asked."""
        return self._dispatcher

    def use(self, dispatcher: Dispatcher) -> None:
        """Ask somebody else from now on, and look around at once."""
        self.forget()
        before, self._dispatcher = self._dispatcher, dispatcher
        self._looks.cancel()
        before.close()
        self._standing = None
        self._pause_ms = _FIRST_PAUSE_MS
        self.look()

    def look(self) -> None:
        """Look for the server now."""
        self._again.stop()
        dispatcher = self._dispatcher

        def job() -> Iterator[object]:
            yield dispatcher.look()

        self._looks.put(job)

    def ask(self, question: Question, *more: Question) -> None:
        """Read something; the newest question is always answered, earlier ones if there is time.

        Args:
            question: What to read.
            more: What to read next, unless something newer is asked by then; no refusal is told of these.
        """
        dispatcher = self._dispatcher
        self._number += 1
        number = self._number

        def answer(one: Question) -> Answer:
            encoded = png_of_drawing(one.value) if isinstance(one.value, QImage) else one.value
            return Answer(one, dispatcher.read(one.model, [encoded], version=one.version)[0])

        def read() -> Iterator[object]:
            yield answer(question)
            for one in more:
                if self._number != number:
                    return
                with contextlib.suppress(InputError, RequestRefused):
                    yield answer(one)

        self.see(question)
        self._reads.put(read)

    def see(self, question: Question) -> None:
        """Find out what the network sees of a picture, without asking it; does nothing for a text."""
        value, dispatcher = question.value, self._dispatcher
        if isinstance(value, str):
            return

        def see() -> Iterator[object]:
            spec = dispatcher.card(question.model, question.version).input
            picture = pillow_of(value) if isinstance(value, QImage) else decode_image(value)
            yield Sight(question, seen(picture, spec))

        self._sees.put(see)

    def fetch_card(self, model: str, version: int | None) -> None:
        """Fetch a model's card; it comes by :attr:`carded`."""
        dispatcher = self._dispatcher

        def fetch() -> Iterator[object]:
            yield dispatcher.card(model, version)

        self._cards.put(fetch)

    def forget(self) -> None:
        """Drop every question that was asked, so that no answer to one comes any more."""
        self._reads.cancel()
        self._sees.cancel()

    def close(self) -> None:
        """Stop the threads and let go of connections."""
        self._again.stop()
        for worker in (self._reads, self._sees, self._looks, self._cards):
            worker.close()
        self._dispatcher.close()

    @Slot(object)
    def _answer(self, answer: Answer) -> None:
        self._tell_standing(self._dispatcher.standing)
        if not self._dispatcher.seeks:
            self._pause_ms = _FIRST_PAUSE_MS
        self.answered.emit(answer)

    @Slot(object)
    def _refuse(self, error: LecternError) -> None:
        self._tell_standing(self._dispatcher.standing)
        self.refused.emit(error)

    @Slot(object)
    def _tell_standing(self, standing: Standing) -> None:
        if self._dispatcher.seeks and not self._again.isActive():
            # A server that answers this but fails at that would come and go: look less and less often.
            self._again.start(self._pause_ms)
            self._pause_ms = min(self._pause_ms * 2, _LONGEST_PAUSE_MS)
        if standing != self._standing:
            self._standing = standing
            self.stood.emit(standing)
