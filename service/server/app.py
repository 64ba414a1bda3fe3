"""Builds the BentoML service from the settings: ``bentoml serve service.server.app:Lectern``."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import bentoml
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from service.inference.errors import LecternError, SettingsError
from service.inference.preprocessing.decoding import silence_libtiff
from service.server import bentoml_adapter
from service.server.execution.engine import Engine
from service.server.execution.heap import return_freed_memory
from service.server.lifespan import Lifespan
from service.server.log import configure_logging
from service.server.openapi.document import build_document
from service.server.pipeline.limits import InFlightRequests
from service.server.pipeline.pipeline import RequestPipeline
from service.server.pipeline.tracing import RequestTracer
from service.server.playground.api_page import ApiPage
from service.server.playground.page import Playground
from service.server.protocols.bento import BentoMethods, BentoProtocol
from service.server.protocols.common.api import Endpoint
from service.server.protocols.explain import ExplainProtocol
from service.server.protocols.huggingface import HuggingFaceProtocol
from service.server.protocols.models import ModelsProtocol
from service.server.protocols.network_input import NetworkInputProtocol
from service.server.protocols.oip.routes import OipProtocol
from service.server.protocols.operations import OperationsProtocol
from service.server.protocols.read import ReadProtocol
from service.server.protocols.tfserving.routes import TfServingProtocol
from service.server.protocols.words import WordsProtocol
from service.server.recording.recorder import RequestRecorder
from service.server.transport.asgi import AsgiAdapter, cors_options
from service.server.transport.fast_http import FastHttpProtocol
from service.server.transport.http_handler import HttpHandler
from service.server.transport.tls import Certificate
from service.server.workers.balanced_server import BalancedServer
from service.settings import Settings


@dataclass(frozen=True)
class Application:
    """The parts of one server process.

    Attributes:
        service: What BentoML serves; its instance loads the models.
        engine: Runs the models.
        handler: Answers HTTP requests, for ASGI and for the fast path.
        middleware: Makes the ASGI application that answers with the handler, given BentoML's.
    """

    service: bentoml.Service[Any]
    engine: Engine
    handler: HttpHandler
    middleware: Callable[[ASGIApp], ASGIApp]


def create_app(settings: Settings, *, certificate: Certificate | None = None) -> Application:
    """Build the parts of a server process; models are loaded when BentoML makes the service's instance.

    Args:
        settings: Settings of the server.
        certificate: For TLS over gRPC.
    """
    in_flight = InFlightRequests()
    engine = Engine(settings, in_flight=in_flight)
    tracer, recorder = RequestTracer.from_environment(), RequestRecorder.from_settings(settings)
    pipeline = RequestPipeline(
        settings, in_flight=in_flight, is_ready=engine.is_loaded, tracer=tracer, recorder=recorder
    )
    page = ApiPage(is_start_page=not settings.playground)
    playground = Playground() if settings.playground else None

    def publish() -> None:
        page.publish(build_document(endpoints, engine.catalog, settings))
        if playground is not None:
            playground.publish(engine.catalog)

    lifespan = Lifespan(
        settings=settings,
        engine=engine,
        pipeline=pipeline,
        publish=publish,
        certificate=certificate,
        tracer=tracer,
        recorder=recorder,
    )
    service = _make_service(settings, engine, lifespan)
    endpoints = [
        *_protocol_endpoints(engine, settings),
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
        return CORSMiddleware(app, **cors_options(settings)) if settings.cors_origins else app

    # These answer where the server of BentoML's worker is not replaced.
    if settings.cors_origins:
        service.add_asgi_middleware(CORSMiddleware, **cors_options(settings))
    service.add_asgi_middleware(AsgiAdapter, handler=handler)
    return Application(service, engine, handler, middleware)


def _protocol_endpoints(engine: Engine, settings: Settings) -> list[Endpoint]:
    """Return the endpoints of the protocols, those of the most frequent requests first."""
    return [
        *HuggingFaceProtocol(engine, settings).routes(),
        *ModelsProtocol(engine).routes(),
        *ExplainProtocol(engine, settings).routes(),
        *NetworkInputProtocol(engine, settings).routes(),
        *ReadProtocol(engine, settings).routes(),
        *WordsProtocol(engine, settings).routes(),
        *OipProtocol(engine, settings).routes(),
        *TfServingProtocol(engine, settings).routes(),
        *OperationsProtocol(engine, settings).routes(),
    ]


def _make_service(settings: Settings, engine: Engine, lifespan: Lifespan) -> bentoml.Service[Any]:
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
            with bentoml_adapter.ending_worker():
                lifespan.load()

        @bentoml.on_startup
        async def started(self) -> None:
            """Start what needs the event loop."""
            with bentoml_adapter.ending_worker():
                await lifespan.start()

        @bentoml.on_shutdown
        async def stopped(self) -> None:
            """Stop all of it."""
            await lifespan.stop()

    return Lectern


def __getattr__(name: str) -> Any:
    """Build the service when BentoML asks for ``Lectern``: importing this module alone builds nothing."""
    if name != "Lectern":
        raise AttributeError(name)
    bentoml_adapter.disable_tracking()
    try:
        with bentoml_adapter.ending_worker():
            service = _build_service()
    except LecternError as error:
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
