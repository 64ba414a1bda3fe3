"""Starts and stops the parts of a server process."""

import asyncio
import gc
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from service.inference.catalog import Catalog
from service.resources import resident_memory
from service.server.execution.engine import Engine
from service.server.pipeline import metrics
from service.server.pipeline.memory import memory_shares
from service.server.pipeline.pipeline import RequestPipeline
from service.server.pipeline.scrape import forget_dead_workers
from service.server.pipeline.tracing import RequestTracer
from service.server.recording.recorder import RequestRecorder
from service.server.transport.tls import Certificate
from service.server.workers import channel
from service.server.workers.shutdown import GracefulShutdown
from service.settings import Settings

if TYPE_CHECKING:
    from service.server.transport.grpc_server import GrpcServer


class Lifespan:
    """The steps of a server process before its first request and after its last one.

    Args:
        settings: Settings of the server.
        engine: Loads the models.
        pipeline: Its limit of memory follows from the models.
        publish: Describes the models to clients; called when they are loaded, and after each change.
        certificate: For TLS over gRPC.
        tracer: Exports spans; closed at the end.
        recorder: Records the requests; None without a record.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        engine: Engine,
        pipeline: RequestPipeline,
        publish: Callable[[], None],
        certificate: Certificate | None,
        tracer: RequestTracer | None,
        recorder: RequestRecorder | None,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._pipeline = pipeline
        self._publish = publish
        self._certificate = certificate
        self._tracer = tracer
        self._recorder = recorder
        self._grpc: GrpcServer | None = None

    def load(self) -> None:
        """Load the models, before there is an event loop.

        Raises:
            LecternError: No model can be used, or a provider is not available.
        """
        self._engine.start(on_change=self._publish, keep_downloads=channel.is_restart())
        # Only now is it known how much the models take.
        shares = memory_shares(self._settings, resident=resident_memory())
        self._pipeline.memory.size, self._engine.working_memory.size = shares
        self._publish()

    async def start(self) -> None:
        """Start what needs the event loop and the server's signal handlers.

        Raises:
            SettingsError: The port of gRPC is taken.
        """
        # What is loaded by now stays, so that full garbage collections need not look through it.
        gc.collect()
        gc.freeze()
        self._start_metrics()
        shutdown = GracefulShutdown(
            drain_s=self._settings.drain_s,
            on_drain=self._engine.drain,
            on_retire=self._engine.retire,
            on_stop=self._stop_grpc,
        )
        shutdown.install()
        channel.on_retire(shutdown.retire)
        if self._recorder is not None:
            self._recorder.start()
        if self._settings.grpc_port:
            await self._start_grpc()
        channel.report_ready(_describe(self._engine.catalog))

    async def stop(self) -> None:
        """Let the running calls end, then stop the threads."""
        if self._grpc is not None:
            await self._grpc.stop()
        self._engine.close()
        if self._tracer is not None:
            await asyncio.to_thread(self._tracer.close)
        if self._recorder is not None:
            await asyncio.to_thread(self._recorder.close)

    def _start_metrics(self) -> None:
        if not channel.is_supervised():  # The supervisor does so when a worker ends.
            forget_dead_workers()
        if channel.is_restart():
            metrics.worker_restarts.inc()
        metrics.requests_in_flight_limit.set(self._settings.max_queue)
        metrics.create_series()
        metrics.workers.set(1)

    async def _start_grpc(self) -> None:
        # Imported here, because gRPC costs every start time and memory.
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # The access log has the clients' errors.
        from service.server.transport.grpc_server import GrpcServer

        self._grpc = GrpcServer(
            self._engine,
            self._settings,
            self._pipeline,
            certificate=self._certificate,
            # A new worker listens before the one that it replaces stops.
            shares_port=self._settings.workers > 1 or channel.is_supervised(),
        )
        await self._grpc.start()

    def _stop_grpc(self) -> None:
        if self._grpc is not None:
            self._grpc.begin_stop()


def _describe(catalog: Catalog) -> str:
    """Return what this process serves, and what runs it, for the log."""
    models = ", ".join(f"{card.name} {card.version}" for card in catalog) or "no model"
    providers = " and ".join(sorted({catalog.provider(card) or "" for card in catalog}))
    return f"{models} with {providers}" if providers else models
