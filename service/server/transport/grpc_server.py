"""Runs the gRPC server of one process."""

import asyncio
from typing import Any

import grpc.aio

from service.inference.errors import SettingsError
from service.server.execution.engine import Engine
from service.server.pipeline.pipeline import RequestPipeline
from service.server.protocols.oip.grpc_methods import OipMethods
from service.server.transport.connection_limits import connection_limits
from service.server.transport.grpc_handler import GrpcHandler
from service.server.transport.message_reads import MAX_WAITING_CALLS
from service.server.transport.tls import Certificate
from service.settings import Settings

# Health checks and calls beyond the concurrency limit must be answered too. Calls of two kinds that wait for
# their messages take half of these places at most.
_UNCOUNTED_CALLS = 4 * MAX_WAITING_CALLS
_HANDSHAKE_MS = 10_000
# Bits of identity, deflate and gzip, in gRPC's order.
_COMPRESSIONS = 0b111
# A connection whose peer does not answer a ping in this time is closed.
_PING_INTERVAL_MS, _PING_TIMEOUT_MS = 60_000, 20_000
# Calls of one connection at the same time. Calls whose responses are not read would take the places of all
# others, and gRPC cannot end a single one.
_MAX_CALLS = 250
# A client has to connect anew after this time, give or take a tenth. That ends calls whose responses are not
# read, and lets new copies of the server get connections.
_MAX_AGE_MS = 600_000


class GrpcServer:
    """Answers calls on the running event loop, with the engine and the pipeline of HTTP.

    Args:
        engine: Runs the models.
        settings: The address and the limits.
        pipeline: The steps that all requests pass.
        certificate: For TLS; without it connections are not encrypted. HTTP loads it again when it changes.
        shares_port: Whether several processes may listen on the port. A single one must not share it with
            another server by mistake.
    """

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        pipeline: RequestPipeline,
        *,
        certificate: Certificate | None = None,
        shares_port: bool,
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._certificate = certificate
        self._shares_port = shares_port
        self._pipeline = pipeline
        self._server: Any = None
        self._stopping: asyncio.Task[None] | None = None

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
            options=_options(self._settings, max_message, shares_port=self._shares_port),
            maximum_concurrent_rpcs=settings.max_queue + _UNCOUNTED_CALLS,
        )
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        certificate = self._certificate
        try:
            if certificate is None:
                self._server.add_insecure_port(f"{host}:{settings.grpc_port}")
            else:
                self._server.add_secure_port(f"{host}:{settings.grpc_port}", _credentials(certificate))
        except RuntimeError as error:
            raise SettingsError(
                f"cannot listen on {host}:{settings.grpc_port} for gRPC; stop what uses it, or set "
                "LECTERN_HOST and LECTERN_GRPC_PORT"
            ) from error
        await self._server.start()

    def begin_stop(self) -> None:
        """Accept no more calls, and tell the clients to connect elsewhere; those that run may end."""
        if self._server is not None and self._stopping is None:
            # gRPC sends GOAWAY on every connection.
            self._stopping = asyncio.create_task(self._server.stop(self._settings.timeout_s))

    async def stop(self) -> None:
        """Stop, and wait for the calls that run, up to the deadline of a request."""
        self.begin_stop()
        if self._stopping is not None:
            await self._stopping


def _credentials(certificate: Certificate) -> grpc.ServerCredentials:
    used = certificate.pem

    def configuration() -> grpc.ServerCertificateConfiguration:
        content, key = used
        return grpc.ssl_server_certificate_configuration([(key, content)])

    def configuration_if_changed() -> grpc.ServerCertificateConfiguration | None:
        """Return the certificate for a new connection; None for that of the connection before."""
        nonlocal used
        if certificate.pem == used:
            return None
        used = certificate.pem
        return configuration()

    return grpc.dynamic_ssl_server_credentials(configuration(), configuration_if_changed)


def _options(settings: Settings, max_message: int, *, shares_port: bool) -> list[tuple[str, int]]:
    return [
        ("grpc.so_reuseport", int(shares_port)),
        ("grpc.max_receive_message_length", max_message),
        # By default, gRPC refuses metadata at random from 8 KiB on, where a path just reaches its own limit.
        ("grpc.max_metadata_size", 16_384),
        # Otherwise gRPC receives megabytes of each call that waits to be read.
        ("grpc.http2.bdp_probe", 0),
        # The handler decompresses messages itself: gRPC's limit counts only their compressed bytes.
        ("grpc.compression_enabled_algorithms_bitset", _COMPRESSIONS),
        ("grpc.per_message_decompression", 0),
        ("grpc.server_handshake_timeout_ms", _HANDSHAKE_MS),
        ("grpc.max_allowed_incoming_connections", connection_limits(settings).grpc),
        ("grpc.max_connection_idle_ms", int(settings.keep_alive_s * 1000)),
        ("grpc.max_concurrent_streams", _MAX_CALLS),
        ("grpc.max_connection_age_ms", _MAX_AGE_MS),
        # Longer than the answer of a call may take.
        ("grpc.max_connection_age_grace_ms", int(settings.timeout_s * 1000) + 1000),
        ("grpc.keepalive_time_ms", _PING_INTERVAL_MS),
        ("grpc.keepalive_timeout_ms", _PING_TIMEOUT_MS),
    ]
