"""Starts and stops the parts of a server process."""

import asyncio
import gc
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from service.inference.catalog import Catalog
from service.resources import resident_memory
from service.server.execution.engine import Engine
from service.server.log_writer import close_writers, set_on_lost
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


@dataclass(kw_only=True)
class Lifespan:
    """The steps of a server process before its first request and after its last one."""

    settings: Settings
    engine: Engine
    pipeline: RequestPipeline
    publish: Callable[[], None]  # describes the models to clients, at first and after each change
    certificate: Certificate | None  # for TLS over gRPC
    tracer: RequestTracer | None
    recorder: RequestRecorder | None
    _grpc: "GrpcServer | None" = field(default=None, init=False)
    _key_watch: asyncio.Task[None] | None = field(default=None, init=False)

    def load(self) -> None:
        """Load the models, before there is an event loop.

        Raises:
            LecternError: No model can be used, or a provider is not available.
        """
        self.engine.start(on_change=self.publish, keep_downloads=channel.is_restart())
        # Only now is it known how much the models take.
        shares = memory_shares(self.settings, resident=resident_memory())
        self.pipeline.memory.size, self.engine.working_memory.size = shares
        self.publish()

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
            drain_s=self.settings.drain_s,
            is_supervised=channel.is_supervised(),
            on_drain=self.engine.drain,
            on_retire=self.engine.retire,
            on_stop=self._stop_grpc,
        )
        shutdown.install()
        channel.on_retire(shutdown.retire)
        self._key_watch = asyncio.create_task(self.pipeline.keys.watch())
        if self.recorder is not None:
            self.recorder.start()
        if self.settings.grpc_port:
            await self._start_grpc()
        channel.report_ready(_describe(self.engine.catalog))

    async def stop(self) -> None:
        """Let the running calls end, then stop the threads."""
        if self._grpc is not None:
            await self._grpc.stop()
        if self._key_watch is not None:
            self._key_watch.cancel()
        self.engine.close()
        if self.tracer is not None:
            await asyncio.to_thread(self.tracer.close)
        if self.recorder is not None:
            await asyncio.to_thread(self.recorder.close)
        # A signal without a handler ends the process: uvicorn sends the one that stopped it once more.
        await asyncio.to_thread(close_writers)

    def _start_metrics(self) -> None:
        if not channel.is_supervised():  # The supervisor does so when a worker ends.
            forget_dead_workers()
        if channel.is_restart():
            metrics.worker_restarts.inc()
        metrics.requests_in_flight_limit.set(self.settings.max_queue)
        metrics.create_series()
        set_on_lost(metrics.count_lost_lines)
        metrics.workers.set(1)

    async def _start_grpc(self) -> None:
        # Imported here, because gRPC costs every start time and memory.
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # The access log has the clients' errors.
        from service.server.transport.grpc_server import GrpcServer

        self._grpc = GrpcServer(
            self.engine,
            self.settings,
            self.pipeline,
            certificate=self.certificate,
            # A new worker listens before the one that it replaces stops.
            shares_port=self.settings.workers > 1 or channel.is_supervised(),
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
