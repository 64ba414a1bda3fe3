"""Owns the choice of who answers: the server for as long as it does, and otherwise this computer."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

from desktop.prediction.backends import Backend, Input, Place, PredictionResult
from service.client import ModelSummary, RequestRefused
from service.inference import Card, LecternError
from service.inference.errors import ModelNotFound

# With these the server has judged the input, not failed: this computer would say the same.
_ABOUT_THE_INPUT = (400, 413, 415, 422)


@dataclass(frozen=True)
class ConnectionState:
    """How things stand.

    Attributes:
        place: Who answers now.
        models: What can be asked there.
        cause: Why the server does not answer; None while it does, and when nobody expects one to.
        shortage: Why there are no models at all; None when there are some.
    """

    place: Place = Place.HERE
    models: tuple[ModelSummary, ...] = ()
    cause: LecternError | None = None
    shortage: LecternError | None = None


class Dispatcher:
    """Sends each request to the server or to this computer; safe to use from several threads."""

    def __init__(self, local: Backend, server: Backend | None = None, *, expected: bool = False) -> None:
        """Start with this computer; :meth:`look` finds the server.

        Args:
            local: Answers when the server does not.
            server: Is asked first, once it was found. None keeps everything on this computer.
            expected: Somebody named this server, so that its absence deserves a word from the start.
        """
        self._local = local
        self._server = server
        self._expected = expected
        self._standing = ConnectionState()
        self._lock = threading.Lock()

    @property
    def connection_state(self) -> ConnectionState:
        """How things stand now."""
        with self._lock:
            return self._standing

    @property
    def seeks(self) -> bool:
        """Whether there is a server that is worth looking for, because it does not answer now."""
        return self._server is not None and self.connection_state.place is Place.HERE

    def look(self) -> ConnectionState:
        """Look for the server, and find out what can be asked of whoever answers."""
        cause: LecternError | None = None
        if self._server is not None:
            try:
                return self._stand(ConnectionState(place=Place.SERVER, models=self._server.models()))
            except LecternError as error:
                cause = error
        return self._fall_back(cause)

    def read(self, model: str, inputs: Sequence[Input], *, version: int | None) -> list[PredictionResult]:
        """Classify inputs wherever they can be.

        Args:
            model: A model's name.
            inputs: The bytes of picture files, or texts.
            version: One of its versions; the default one if None.

        Returns:
            One reading an input, in the same order.

        Raises:
            LecternError: The inputs cannot be used, or the model cannot be loaded on this computer.
        """
        server = self._server
        if server is not None and self.connection_state.place is Place.SERVER:
            try:
                return server.read(model, inputs, version=version)
            except LecternError as error:
                if isinstance(error, RequestRefused) and error.status in _ABOUT_THE_INPUT:
                    raise
                self._fall_back(error)
        try:
            return self._local.read(model, inputs, version=version)
        except ModelNotFound:
            # The version was chosen from the server's list, and this computer has others.
            return self._local.read(model, inputs, version=None)

    def card(self, model: str, version: int | None) -> Card:
        """Return a model's card, from this computer if it has it; raises LecternError."""
        try:
            return self._local.card(model, version)
        except LecternError:
            if self._server is None or self.connection_state.place is Place.HERE:
                raise
            return self._server.card(model, version)

    def close(self) -> None:
        """Let go of connections."""
        for backend in (self._server, self._local):
            if backend is not None:
                backend.close()

    def _fall_back(self, cause: LecternError | None) -> ConnectionState:
        was = self.connection_state
        # Something else may well live at the default address: only who was there, or was named, is missed.
        missed = self._expected or was.place is Place.SERVER or was.cause is not None or _is_lectern(cause)
        here = ConnectionState(cause=cause if missed else None)
        try:
            here = replace(here, models=self._local.models())
        except LecternError as error:
            here = replace(here, shortage=error)
        return self._stand(here)

    def _stand(self, connection_state: ConnectionState) -> ConnectionState:
        with self._lock:
            self._standing = connection_state
        return connection_state


def _is_lectern(cause: LecternError | None) -> bool:
    """Tell whether a Lectern server answered, though with a refusal such as "wrong API key"."""
    return isinstance(cause, RequestRefused)
