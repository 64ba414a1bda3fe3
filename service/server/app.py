"""Builds the BentoML service from the settings: ``bentoml serve service.server.app:Lectern``."""

import asyncio
import gc
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import bentoml
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from service.inference.catalog import Catalog
from service.inference.errors import LecternError, SettingsError
from service.inference.preprocessing.decoding import silence_libtiff
from service.resources import resident_memory
from service.server import bentoml_adapter
from service.server.execution.engine import Engine
from service.server.execution.heap import return_freed_memory
from service.server.log import configure_logging
from service.server.openapi.document import build_document
from service.server.pipeline import metrics
from service.server.pipeline.limits import InFlightRequests
from service.server.pipeline.memory import RequestMemory, WorkingMemory, memory_shares
from service.server.pipeline.pipeline import RequestPipeline
from service.server.pipeline.scrape import forget_dead_workers
from service.server.pipeline.tracing import RequestTracer
from service.server.playground.api_page import ApiPage
from service.server.playground.page import Playground
from service.server.protocols.bento import BentoMethods, BentoProtocol
from service.server.protocols.explain import ExplainProtocol
from service.server.protocols.huggingface import HuggingFaceProtocol
from service.server.protocols.network_input import NetworkInputProtocol
from service.server.protocols.oip.routes import OipProtocol
from service.server.protocols.operations import OperationsProtocol
from service.server.protocols.read import ReadProtocol
from service.server.protocols.tfserving.routes import TfServingProtocol
from service.server.protocols.words import WordsProtocol
from service.server.recording.recorder import RequestRecorder
from service.server.transport.asgi import AsgiAdapter
from service.server.transport.fast_http import FastHttpProtocol
from service.server.transport.http_handler import HttpHandler
from service.server.transport.tls import Certificate
from service.server.workers import channel
from service.server.workers.balanced_server import BalancedServer
from service.server.workers.shutdown import GracefulShutdown
from service.settings import Settings

if TYPE_CHECKING:
    from service.server.transport.grpc_server import GrpcServer


@dataclass(frozen=True)
class Application:
    """The parts of one server process.

    Attributes:
        service: What BentoML serves; its instance loads the models.
        engine: Runs the models.
        handler: Answers HTTP requests, for ASGI and for the fast path.
        middleware: Makes the ASGI application that answers with the handler, given BentoML's.
        recorder: Records the requests; None without a record.
    """

    service: bentoml.Service[Any]
    engine: Engine
    handler: HttpHandler
    middleware: Callable[[ASGIApp], ASGIApp]
    recorder: RequestRecorder | None


def create_app(settings: Settings, *, certificate: Certificate | None = None) -> Application:
    """Build the parts of a server process; models are loaded when BentoML makes the service's instance.

    Args:
        settings: Settings of the server.
        certificate: For TLS over gRPC.
    """
    in_flight, memory, working_memory = InFlightRequests(), RequestMemory(), WorkingMemory()
    engine = Engine(settings, in_flight=in_flight, working_memory=working_memory)
    tracer = RequestTracer.from_environment()
    recorder = RequestRecorder.from_settings(settings)
    pipeline = RequestPipeline(
        settings,
        in_flight=in_flight,
        memory=memory,
        is_ready=engine.is_loaded,
        tracer=tracer,
        recorder=recorder,
    )
    page = ApiPage(is_start_page=not settings.playground)
    playground = Playground() if settings.playground else None

    def publish() -> None:
        page.publish(build_document(endpoints, engine.catalog, settings))
        if playground is not None:
            playground.publish(engine.catalog)

    def start() -> None:
        engine.start(on_change=publish, keep_downloads=channel.is_restart())
        # Only now is it known how much the models take.
        memory.size, working_memory.size = memory_shares(settings, resident=resident_memory())
        publish()

    service = _service(settings, engine, pipeline, start, certificate, tracer, recorder)
    endpoints = [
        *HuggingFaceProtocol(engine, settings).routes(),
        *ExplainProtocol(engine, settings).routes(),
        *NetworkInputProtocol(engine, settings).routes(),
        *ReadProtocol(engine, settings).routes(),
        *WordsProtocol(engine, settings).routes(),
        *OipProtocol(engine, settings).routes(),
        *TfServingProtocol(engine, settings).routes(),
        *OperationsProtocol(engine, settings).routes(),
        *page.routes(),
        *(playground.routes() if playground else ()),
        *BentoProtocol(engine, service.schema).routes(),
    ]
    handler = HttpHandler(
        [*endpoints, *(playground.file_routes() if playground else ())],
        pipeline=pipeline,
        settings=settings,
        is_draining=engine.is_draining,
    )

    def middleware(app: ASGIApp) -> ASGIApp:
        app = AsgiAdapter(app, handler=handler)
        return CORSMiddleware(app, **_cors(settings)) if settings.cors_origins else app

    # These answer where the server of BentoML's worker is not replaced.
    if settings.cors_origins:
        service.add_asgi_middleware(CORSMiddleware, **_cors(settings))
    service.add_asgi_middleware(AsgiAdapter, handler=handler)
    return Application(service, engine, handler, middleware, recorder)


def _service(
    settings: Settings,
    engine: Engine,
    pipeline: RequestPipeline,
    start: Callable[[], None],
    certificate: Certificate | None,
    tracer: RequestTracer | None,
    recorder: RequestRecorder | None,
) -> bentoml.Service[Any]:
    # The pipeline counts, logs, limits and times requests; BentoML must not do so again.
    @bentoml.service(
        name="lectern",
        description=BentoMethods.__doc__,
        workers=settings.workers,
        traffic={"timeout": settings.timeout_s + 30},
        metrics={"enabled": False, "namespace": "bentoml_service"},
        logging={"access": {"enabled": False}},
        tracing={"excluded_urls": ".*"},
    )
    class Lectern(BentoMethods):
        """Starts and stops the parts of a server process with BentoML's service."""

        def __init__(self) -> None:
            self.engine = engine
            try:
                start()
            except LecternError as error:
                bentoml_adapter.end_worker(error)
                raise
            self._grpc: GrpcServer | None = None

        @bentoml.on_startup
        async def started(self) -> None:
            """Start what needs the event loop and the server's signal handlers."""
            # What is loaded by now stays, so that full garbage collections need not look through it.
            gc.collect()
            gc.freeze()
            if not channel.is_supervised():  # The supervisor does so when a worker ends.
                forget_dead_workers()
            if channel.is_restart():
                metrics.worker_restarts.inc()
            metrics.requests_in_flight_limit.set(settings.max_queue)
            metrics.create_series()
            metrics.workers.set(1)
            shutdown = GracefulShutdown(
                drain_s=settings.drain_s,
                on_drain=engine.drain,
                on_retire=engine.retire,
                on_stop=self._stop_grpc,
            )
            shutdown.install()
            channel.on_retire(shutdown.retire)
            if recorder is not None:
                recorder.start()
            if settings.grpc_port:
                await self._start_grpc()
            channel.report_ready(_describe(engine.catalog))

        async def _start_grpc(self) -> None:
            # Imported here, because gRPC costs every start time and memory.
            os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # The access log has the clients' errors.
            from service.server.transport.grpc_server import GrpcServer

            # A new worker listens before the one that it replaces stops.
            shares_port = settings.workers > 1 or channel.is_supervised()
            self._grpc = GrpcServer(
                engine, settings, pipeline, certificate=certificate, shares_port=shares_port
            )
            try:
                await self._grpc.start()
            except LecternError as error:
                bentoml_adapter.end_worker(error)
                raise

        def _stop_grpc(self) -> None:
            if self._grpc is not None:
                self._grpc.begin_stop()

        @bentoml.on_shutdown
        async def stopped(self) -> None:
            """Let the running calls end, then stop the threads."""
            if self._grpc is not None:
                await self._grpc.stop()
            engine.close()
            if tracer is not None:
                await asyncio.to_thread(tracer.close)
            if recorder is not None:
                await asyncio.to_thread(recorder.close)

    return Lectern


def _describe(catalog: Catalog) -> str:
    """Return what this process serves, and what runs it, for the log."""
    models = ", ".join(f"{card.name} {card.version}" for card in catalog) or "no model"
    providers = " and ".join(sorted({catalog.provider(card) or "" for card in catalog}))
    return f"{models} with {providers}" if providers else models


def _cors(settings: Settings) -> dict[str, Any]:
    exposed = [
        "X-Request-ID",
        "X-Model-Version",
        "X-Lectern-Unsure",
        "X-Lectern-Reason",
        "Server-Timing",
        "Retry-After",
    ]
    both = ["Inference-Header-Content-Length", "X-Request-ID", "traceparent"]
    sent = ["Authorization", "Content-Type", "Content-Encoding", "tracestate"]
    return {
        "allow_origins": settings.cors_origins,
        "allow_methods": ["GET", "POST"],
        "allow_headers": [*sent, "X-API-Key", *both, *settings.cors_headers],
        "expose_headers": [*both, *exposed],
    }


def __getattr__(name: str) -> Any:
    """Build the service when BentoML asks for ``Lectern``: importing this module alone builds nothing."""
    if name != "Lectern":
        raise AttributeError(name)
    bentoml_adapter.disable_tracking()
    try:
        service = _build_service()
    except LecternError as error:
        bentoml_adapter.end_worker(error)
        raise bentoml_adapter.config_error(error) from None
    globals()["Lectern"] = service  # BentoML looks its service up among the names of this module.
    return service


def _build_service() -> bentoml.Service[Any]:
    settings = Settings.from_environment()
    certificate = Certificate.from_settings(settings)
    configure_logging(settings.log_format)
    return_freed_memory()
    silence_libtiff()
    app = create_app(settings, certificate=certificate)
    bentoml_adapter.ignore_forwarded_headers()
    is_installed = bentoml_adapter.install_server(
        partial(FastHttpProtocol, handler=app.handler),
        partial(BalancedServer, certificate=certificate),
        middleware=app.middleware,
    )
    if certificate is not None and not is_installed:
        raise SettingsError(
            "TLS needs the releases of bentoml and uvicorn in constraints.txt; install them, or unset "
            "LECTERN_TLS_CERT and LECTERN_TLS_KEY, and put a proxy with TLS in front of the server"
        )
    return app.service
