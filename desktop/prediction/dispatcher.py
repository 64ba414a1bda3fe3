"""Sends each request to the server while it responds, and to this computer otherwise."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from desktop.prediction.backends import Backend, Input, Location, PredictionResult, ServerBackend
from service.client import ModelSummary, RequestRefused
from service.inference import Card, LecternError
from service.inference.errors import ModelNotFound

# These HTTP statuses reject the input itself; the local backend would reject it as well.
_INPUT_ERRORS = (400, 413, 415, 422)


@dataclass(frozen=True)
class ConnectionState:
    """The backend in use.

    Attributes:
        location: Where predictions are computed.
        models: Models that are available there.
        server_error: Why the server is not used; None while it is, and if the user did not configure one.
        models_error: Why no models are available; None if there are some.
    """

    location: Location = Location.LOCAL
    models: tuple[ModelSummary, ...] = ()
    server_error: LecternError | None = None
    models_error: LecternError | None = None


class Dispatcher:
    """Chooses the backend of each request; safe to use from several threads.

    Attributes:
        connection_state: The current state.
    """

    def __init__(
        self,
        local: Backend,
        server: ServerBackend | None = None,
        *,
        expected: bool = False,
        own: Callable[[], Collection[str]] = frozenset,
    ) -> None:
        """Start with the local backend; :meth:`connect` switches to the server.

        Args:
            local: Used while the server does not respond.
            server: Used while it responds. None disables the server.
            expected: The user configured this server: report it if the first connection fails.
            own: Returns the names of models that only this computer has.
        """
        self._local = local
        self._server = server
        self._expected = expected
        self._own = own
        self.connection_state = ConnectionState()

    @property
    def disconnected(self) -> bool:
        """Whether there is a server that does not respond at present."""
        return self._server is not None and self.connection_state.location is Location.LOCAL

    def connect(self) -> ConnectionState:
        """Try the server, and list the models of the backend in use."""
        error: LecternError | None = None
        if self._server is not None:
            try:
                models = self._with_own_models(self._server.models())
                return self._set_state(ConnectionState(Location.SERVER, models))
            except LecternError as caught:
                error = caught
        return self._use_local(error)

    def predict(self, model: str, inputs: Sequence[Input], *, version: int | None) -> list[PredictionResult]:
        """Classify inputs.

        Args:
            model: Name of the model.
            inputs: Drawings, bytes of picture files, or texts.
            version: Version of the model; the default version if None.

        Returns:
            One result per input, in the same order.

        Raises:
            LecternError: An input is unusable, or the local model cannot be loaded.
        """
        server = self._server
        on_server = self.connection_state.location is Location.SERVER and model not in self._own()
        if server is not None and on_server:
            try:
                return server.predict(model, inputs, version=version)
            except LecternError as error:
                if isinstance(error, RequestRefused) and error.status in _INPUT_ERRORS:
                    raise
                self._use_local(error)
        try:
            return self._local.predict(model, inputs, version=version)
        except ModelNotFound:
            # The version comes from the server's list and does not exist locally.
            return self._local.predict(model, inputs, version=None)

    def load(self, model: str, version: int | None) -> None:
        """Load a model of this computer while it is used; raises LecternError."""
        if self.connection_state.location is Location.LOCAL or model in self._own():
            self._local.load(model, version)

    def card(self, model: str, version: int | None) -> Card:
        """Return a model's card, the local one if it exists; raises LecternError."""
        try:
            return self._local.card(model, version)
        except LecternError:
            if self._server is None or self.connection_state.location is Location.LOCAL:
                raise
            return self._server.card(model, version)

    def close(self) -> None:
        """Close the connections to the server."""
        if self._server is not None:
            self._server.close()

    def _with_own_models(self, models: tuple[ModelSummary, ...]) -> tuple[ModelSummary, ...]:
        """Add the models that only this computer has."""
        try:
            own = [model for model in self._local.models() if model.name in self._own()]
        except LecternError:
            return models
        return (*models, *own)

    def _use_local(self, error: LecternError | None) -> ConnectionState:
        before = self.connection_state
        # The default URL may belong to another program: report only a server that was
        # configured, that responded before, or whose error shows that it is a Lectern server.
        report = (
            self._expected
            or before.location is Location.SERVER
            or before.server_error is not None
            or isinstance(error, RequestRefused)
        )
        state = ConnectionState(server_error=error if report else None)
        try:
            state = replace(state, models=self._local.models())
        except LecternError as models_error:
            state = replace(state, models_error=models_error)
        return self._set_state(state)

    def _set_state(self, state: ConnectionState) -> ConnectionState:
        self.connection_state = state
        return state
