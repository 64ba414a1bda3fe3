"""Owns the BentoML service: ``bentoml serve service.server.app:Lectern``."""

import gc
import os
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

import bentoml
import uvicorn
from bentoml import Service
from bentoml.exceptions import BentoMLException
from starlette.middleware.cors import CORSMiddleware

from service.inference.errors import InvalidInput, LecternError
from service.inference.predictor import Input
from service.server.bentoml_adapter import Foremost
from service.server.bentoml_errors import refusals
from service.server.drain import drain_on_sigterm
from service.server.execution.engine import Engine
from service.server.openapi.document import build_document
from service.server.pipeline import metrics
from service.server.pipeline.access_log import silence_refusals
from service.server.pipeline.admission import Admission
from service.server.pipeline.connection import ClientDisconnected
from service.server.pipeline.errors import ErrorCode, RequestError, to_request_error
from service.server.pipeline.pipeline import RequestPipeline
from service.server.playground.api_page import ApiPage
from service.server.protocols.bento_models import Classification, ClassifyImage, ClassifyText, LabelScore
from service.server.protocols.common.inputs import decode_base64
from service.server.protocols.explain import ExplainProtocol
from service.server.protocols.huggingface import HuggingFaceProtocol
from service.server.protocols.oip.routes import OipProtocol
from service.server.protocols.operations import OperationsProtocol
from service.server.protocols.tfserving.routes import TfServingProtocol
from service.server.transport.asgi import Gateway
from service.server.transport.fast_http import FastHttpProtocol
from service.server.workers.balanced_server import BalancedServer
from service.settings import Settings

if TYPE_CHECKING:
    from service.server.transport.grpc_server import GrpcServer

# Python's own 700 would look for cycles among new objects after every few requests, in vain.
_COLLECT_AFTER = (20_000, 50, 100)

_settings = Settings.from_environment()
_engine = Engine(_settings)
_admission = Admission(_engine, _settings)
_page = ApiPage()
_endpoints = [
    *HuggingFaceProtocol(_engine, _settings).routes(),
    *ExplainProtocol(_engine, _settings).routes(),
    *OipProtocol(_engine, _settings).routes(),
    *TfServingProtocol(_engine, _settings).routes(),
    *OperationsProtocol(_engine).routes(),
    *_page.routes(),
]
_door = RequestPipeline(_endpoints, admission=_admission, settings=_settings)


# Our own gateway counts, logs, limits and times requests; BentoML's layers for that would do it twice.
# Its time-out cannot be switched off in its settings; `Foremost` takes it out of the way of requests.
@bentoml.service(
    name="lectern",
    description="The networks of a deep-learning lecture: pictures and texts in, softmax probabilities out.",
    workers=_settings.workers,
    traffic={"timeout": _settings.timeout_s + 30},
    metrics={"enabled": False, "namespace": "bentoml_service"},
    logging={"access": {"enabled": False}},
    tracing={"excluded_urls": ".*"},
)
class Lectern:
    """The networks of a deep-learning lecture, behind HTTP."""

    def __init__(self) -> None:
        _engine.start()
        _page.publish(build_document(_endpoints, _engine.catalog, _settings))
        self._grpc: GrpcServer | None = None

    @bentoml.on_startup
    async def started(self) -> None:
        """Take over SIGTERM once the server has set its handler, and the log once it is configured."""
        metrics.forget_dead_workers()
        drain_on_sigterm(_engine)
        silence_refusals()
        # What is loaded by now stays; to look through it again and again would hold requests up.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_COLLECT_AFTER)
        if _settings.grpc_port:
            # Only now: gRPC's library would cost every start a tenth of a second and 13 MB of memory.
            os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # callers' mistakes are in the access log
            from service.server.transport.grpc_server import GrpcServer

            self._grpc = GrpcServer(_engine, _settings, _admission)
            await self._grpc.start()

    @bentoml.on_shutdown
    async def stopped(self) -> None:
        """Let the calls that run end, and then the worker threads."""
        if self._grpc is not None:
            await self._grpc.stop()
        _engine.close()

    @bentoml.api(input_spec=ClassifyImage)
    async def classify_image(
        self, model: str, image: str, top_k: int | None = None, version: int | None = None
    ) -> Classification:
        """Classify a picture with mnist, fashion_mnist, cifar10 or cats_vs_dogs."""
        return await _classify(model, version, image, top_k, text=False)

    @bentoml.api(input_spec=ClassifyText)
    async def classify_text(
        self, model: str, text: str, top_k: int | None = None, version: int | None = None
    ) -> Classification:
        """Classify a text with imdb."""
        return await _classify(model, version, text, top_k, text=True)


async def _classify(
    model: str, version: int | None, value: str, top_k: int | None, *, text: bool
) -> Classification:
    try:
        predictor = await _engine.predictor(model, version)
        if predictor.takes_text != text:
            method = "classify_text" if predictor.takes_text else "classify_image"
            raise InvalidInput(f"{model} is a model for {predictor.card.task}; call {method}")
        content: Input = value if text else decode_base64(value)
        outcome = await _engine.predict(predictor, [content], top_k=top_k)
    except LecternError as error:
        raise _refused(to_request_error(error)) from error
    except RequestError as problem:
        raise _refused(problem) from problem
    except ClientDisconnected as error:
        # For the access log alone; as a refusal, since BentoML would log a traceback.
        refusals.get().append(RequestError(ErrorCode.CLIENT_DISCONNECTED, "the caller hung up"))
        raise BentoMLException("the caller hung up", error_code=HTTPStatus.BAD_REQUEST) from error
    prediction = outcome.predictions[0]
    return Classification(
        model=prediction.model,
        version=prediction.version,
        unsure=prediction.unsure,
        scores=[LabelScore(label=score.label, score=score.score) for score in prediction.scores],
    )


def _refused(problem: RequestError) -> BentoMLException:
    refusals.get().append(problem)
    return BentoMLException(problem.message, error_code=HTTPStatus(problem.status))


def _install(service: Service[Any]) -> None:
    """Put our gateway, and behind it BentoML's own routes, into the service."""
    service.add_asgi_middleware(Foremost)
    if _settings.cors_origins:
        service.add_asgi_middleware(
            CORSMiddleware,
            allow_origins=_settings.cors_origins,
            allow_methods=["GET", "POST"],
            allow_headers=[
                "Authorization",
                "Content-Type",
                "Inference-Header-Content-Length",
                "X-Request-ID",
            ],
            expose_headers=[
                "Inference-Header-Content-Length",
                "X-Request-ID",
                "X-Model-Version",
                "X-Lectern-Unsure",
                "Server-Timing",
                "Retry-After",
            ],
        )
    service.add_asgi_middleware(
        Gateway,
        door=_door,
        passed={"/schema.json": ["GET", "HEAD"], "/classify_image": ["POST"], "/classify_text": ["POST"]},
    )


_UvicornServer = BalancedServer if _settings.workers > 1 else uvicorn.Server


def _server(config: uvicorn.Config) -> uvicorn.Server:
    """Make the server of a worker, with the short way for short requests."""
    config.load()
    config.http_protocol_class = partial(FastHttpProtocol, door=_door, turns=_engine.turns)  # type: ignore[assignment]
    return _UvicornServer(config)


_install(cast(Service[Any], Lectern))
# BentoML has loaded this module when a worker makes its server, and no setting for which kind.
uvicorn.Server = _server  # type: ignore[assignment, misc]
