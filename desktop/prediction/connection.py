"""Connects the app with the server of the settings, and reconnects when it responds again."""

from collections.abc import Callable, Collection

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from desktop.prediction.backends import Backend, ServerBackend
from desktop.prediction.dispatcher import ConnectionState, Dispatcher
from desktop.prediction.worker import Worker
from desktop.settings import SettingsStore
from service.client import DEFAULT_URL

_FIRST_RETRY_MS, _MAX_RETRY_MS = 3_000, 60_000


class Connection(QObject):
    """Provides the dispatcher for the server of the settings, and follows its state.

    Attributes:
        server: URL of the server; empty if there is none.
        dispatcher: The dispatcher in use; another server in the settings replaces it.

    Signals:
        changed: The new :class:`ConnectionState`.
    """

    changed = Signal(object)

    def __init__(
        self,
        local: Backend,
        store: SettingsStore,
        *,
        server: str | None = None,
        offline: bool = False,
        own: Callable[[], Collection[str]] = frozenset,
        parent: QObject | None = None,
    ) -> None:
        """Prepare the connection; :meth:`connect_backend` makes it.

        Args:
            local: Used while the server does not respond.
            store: Holds URL and API key of the server.
            server: URL to use in place of the stored one, until the user sets another.
            offline: Use no server, whatever the settings say.
            own: Returns the names of models that only this computer has.
            parent: Parent object.
        """
        super().__init__(parent)
        self._local = local
        self._own = own
        self._store = store
        self._offline = offline
        # The given URL, and the stored one whose change ends its use.
        self._given, self._stored = server, store.settings.server
        self.dispatcher = self._new_dispatcher(server or store.settings.server)
        self._state: ConnectionState | None = None
        self._retry_ms = _FIRST_RETRY_MS
        self._worker = Worker("connect", self)
        self._worker.result_ready.connect(self._set_state)
        self._retry = QTimer(self)
        self._retry.setSingleShot(True)
        self._retry.timeout.connect(self.connect_backend)
        store.server_changed.connect(self._use_changed_server)

    def connect_backend(self) -> None:
        """Try the server now."""
        self._retry.stop()
        self._worker.call(self.dispatcher.connect)

    def refresh(self, *, responded: bool = False) -> None:
        """Report a change of the dispatcher's state; call this after each prediction.

        Args:
            responded: Whether the prediction succeeded.
        """
        if responded and not self.dispatcher.disconnected:
            self._retry_ms = _FIRST_RETRY_MS
        # A new dispatcher has no models until it is connected.
        if self._state is not None:
            self._set_state(self.dispatcher.connection_state)

    def close(self) -> None:
        """Stop reconnecting, and close the connections."""
        self._retry.stop()
        self._worker.close()
        self.dispatcher.close()

    def _new_dispatcher(self, url: str) -> Dispatcher:
        self.server = "" if self._offline else url
        server = ServerBackend(url, api_key=self._store.api_key) if self.server else None
        return Dispatcher(self._local, server, expected=url != DEFAULT_URL, own=self._own)

    def _use_changed_server(self) -> None:
        """Use the server that the user has set, or the same one with another API key."""
        stored = self._store.settings.server
        if stored != self._stored:
            self._given, self._stored = None, stored
        self._worker.cancel()
        self.dispatcher.close()
        self.dispatcher = self._new_dispatcher(self._given or stored)
        self._state = None
        self._retry_ms = _FIRST_RETRY_MS
        self.connect_backend()

    @Slot(object)
    def _set_state(self, state: ConnectionState) -> None:
        if self.dispatcher.disconnected and not self._retry.isActive():
            # A server that lists models but fails to predict would flicker: retry less and less often.
            self._retry.start(self._retry_ms)
            self._retry_ms = min(self._retry_ms * 2, _MAX_RETRY_MS)
        if state != self._state:
            self._state = state
            self.changed.emit(state)
