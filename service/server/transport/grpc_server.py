"""Runs the gRPC server of one process."""

from typing import Any

import grpc.aio

from service.inference.errors import SettingsError
from service.server.execution.engine import Engine
from service.server.pipeline.pipeline import RequestPipeline
from service.server.protocols.oip.grpc_methods import OipMethods
from service.server.transport.grpc_handler import GrpcHandler
from service.settings import Settings

# Health checks and calls beyond the concurrency limit must be answered too.
_UNCOUNTED_CALLS = 64


class GrpcServer:
    """Answers calls on the running event loop, with the engine and the pipeline of HTTP."""

    def __init__(self, engine: Engine, settings: Settings, pipeline: RequestPipeline) -> None:
        self._engine = engine
        self._settings = settings
        self._pipeline = pipeline
        self._server: Any = None

    async def start(self) -> None:
        """Listen.

        Raises:
            SettingsError: The port is not available.
        """
        settings = self._settings
        methods = OipMethods(self._engine, settings).by_path()
        max_message = settings.max_body_mb * 1_000_000
        self._server = grpc.aio.server(
            handlers=[GrpcHandler(methods, pipeline=self._pipeline, max_message=max_message)],
            options=_options(settings, max_message),
            maximum_concurrent_rpcs=settings.max_queue + _UNCOUNTED_CALLS,
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
        """Accept no more calls, and wait for those that run, up to the deadline of a request."""
        if self._server is not None:
            await self._server.stop(self._settings.timeout_s)


def _options(settings: Settings, max_message: int) -> list[tuple[str, int]]:
    return [
        # Several workers share the port; a single one must not share it with another server by mistake.
        ("grpc.so_reuseport", int(settings.workers > 1)),
        ("grpc.max_receive_message_length", max_message),
        # By default, gRPC refuses metadata at random from 8 KiB on, where a path just reaches its own limit.
        ("grpc.max_metadata_size", 16_384),
        # Otherwise gRPC receives megabytes of each call that waits to be read.
        ("grpc.http2.bdp_probe", 0),
        # As over HTTP, compressed messages are refused: they could have any size when decompressed.
        ("grpc.compression_enabled_algorithms_bitset", 1),
        ("grpc.per_message_decompression", 0),
    ]
