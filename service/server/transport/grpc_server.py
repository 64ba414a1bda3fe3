"""Owns the gRPC server of one process: its port, its limits, its end."""

from typing import Any

import grpc.aio

from service.inference.errors import SettingsError
from service.server.execution.engine import Engine
from service.server.pipeline.admission import Admission
from service.server.protocols.oip.grpc_methods import OipMethods
from service.server.transport.grpc_handler import GrpcGateway
from service.settings import Settings

# Calls that are refused, or ask how the server is, have no place in the queue, and still must be answered.
_CALLS_BEYOND_QUEUE = 64


class GrpcServer:
    """Answers calls on the running event loop, out of the same engine and queue as HTTP."""

    def __init__(self, engine: Engine, settings: Settings, admission: Admission) -> None:
        self._engine = engine
        self._settings = settings
        self._admission = admission
        self._server: Any = None

    async def start(self) -> None:
        """Take calls from now on.

        Raises:
            SettingsError: The port cannot be listened on.
        """
        settings = self._settings
        methods = OipMethods(self._engine, settings).by_path()
        self._server = grpc.aio.server(
            handlers=[GrpcGateway(methods, admission=self._admission, settings=settings)],
            options=_options(settings),
            maximum_concurrent_rpcs=settings.max_queue + _CALLS_BEYOND_QUEUE,
        )
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        try:
            self._server.add_insecure_port(f"{host}:{settings.grpc_port}")
        except RuntimeError as error:
            raise SettingsError(
                f"cannot listen on {host}:{settings.grpc_port} for gRPC; stop what uses it, or set "
                "LECTERN_HOST and LECTERN_GRPC_PORT"
            ) from error
        await self._server.start()

    async def stop(self) -> None:
        """Take no more calls, and wait for those that run, no longer than any may take."""
        if self._server is not None:
            await self._server.stop(self._settings.timeout_s)


def _options(settings: Settings) -> list[tuple[str, int]]:
    return [
        # Several workers share the port; one alone must not share it with some other server by mistake.
        ("grpc.so_reuseport", int(settings.workers > 1)),
        ("grpc.max_receive_message_length", settings.max_body_mb * 1_000_000),
        # As over HTTP, compressed messages are refused: unpacked they could be of any size.
        ("grpc.compression_enabled_algorithms_bitset", 1),
        ("grpc.per_message_decompression", 0),
    ]
