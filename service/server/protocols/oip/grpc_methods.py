"""Owns the methods of the Open Inference Protocol's gRPC service, and gRPC's health check."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from google.protobuf.message import DecodeError
from msgspec import to_builtins

from service.inference.card import Card
from service.server.execution.engine import Engine
from service.server.pipeline.errors import ErrorCode, RequestError
from service.server.protocols.common.inputs import parse_version
from service.server.protocols.common.responses import timing_headers
from service.server.protocols.oip.grpc_infer import infer_message, read_message
from service.server.protocols.oip.grpc_messages import (
    CHECKS,
    HEALTH,
    INFERENCE,
    SERVICE,
    Message,
    MessageClass,
    message_classes,
)
from service.server.protocols.oip.metadata import (
    GRPC_EXTENSIONS,
    index_document,
    model_document,
    server_document,
)
from service.server.protocols.oip.request import InferRequest, invalid_request
from service.settings import Settings

# Longer messages are read in a thread, so that other callers need not wait for it.
_INLINE_BYTES = 100_000
_SERVING, _NOT_SERVING = 1, 2

_inference = message_classes("inference", INFERENCE)
_checks = message_classes("grpc.health.v1", CHECKS)


@dataclass(frozen=True)
class Reply:
    """An answer, and the metadata that go behind it."""

    message: Message
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Method:
    """A method of a service.

    Attributes:
        answer: Takes the request's bytes.
        predicts: Whether it needs a place in the queue.
        probe: Whether it asks how the server is, which needs no key.
    """

    answer: Callable[[bytes], Awaitable[Reply]]
    predicts: bool = False
    probe: bool = False


@dataclass(frozen=True)
class OipMethods:
    """The methods of one server process."""

    engine: Engine
    settings: Settings

    def by_path(self) -> dict[str, Method]:
        """Return the methods by the path that a call of them has."""
        return {
            f"/{SERVICE}/ModelInfer": Method(self.infer, predicts=True),
            f"/{SERVICE}/ServerLive": Method(self.live, probe=True),
            f"/{SERVICE}/ServerReady": Method(self.ready, probe=True),
            f"/{SERVICE}/ModelReady": Method(self.model_ready),
            f"/{SERVICE}/ServerMetadata": Method(self.server),
            f"/{SERVICE}/ModelMetadata": Method(self.model),
            f"/{SERVICE}/RepositoryIndex": Method(self.index),
            f"/{HEALTH}/Check": Method(self.check, probe=True),
        }

    async def infer(self, body: bytes) -> Reply:
        """Answer ``ModelInfer``: probabilities, or the best labels, for a batch of inputs."""
        begun = time.perf_counter()
        if len(body) <= _INLINE_BYTES:
            card, wanted = self._read(body)
        else:
            card, wanted = await self.engine.in_thread(lambda: self._read(body))
        predictor = await self.engine.predictor(card.name, card.version)
        result = await self.engine.infer(predictor, wanted.content, started=begun)
        metadata = timing_headers(card, result.timing)
        kind = _inference["ModelInferResponse"]
        return Reply(infer_message(wanted, result.probabilities, card=card, kind=kind), metadata)

    async def live(self, body: bytes) -> Reply:
        """Answer ``ServerLive``: the process is alive."""
        return Reply(_inference["ServerLiveResponse"](live=True))

    async def ready(self, body: bytes) -> Reply:
        """Answer ``ServerReady``: whether all models are loaded and warm, and the server stays up."""
        return Reply(_inference["ServerReadyResponse"](ready=self.engine.ready))

    async def model_ready(self, body: bytes) -> Reply:
        """Answer ``ModelReady``: whether the model can be asked."""
        self._card(_parse("ModelReadyRequest", body))
        return Reply(_inference["ModelReadyResponse"](ready=self.engine.ready))

    async def server(self, body: bytes) -> Reply:
        """Answer ``ServerMetadata``: the server's name, version and extensions."""
        return Reply(_inference["ServerMetadataResponse"](**to_builtins(server_document(GRPC_EXTENSIONS))))

    async def model(self, body: bytes) -> Reply:
        """Answer ``ModelMetadata``: versions, inputs and outputs."""
        card = self._card(_parse("ModelMetadataRequest", body))
        document = model_document(card, versions=self.engine.catalog.versions(card.name))
        return Reply(_inference["ModelMetadataResponse"](**to_builtins(document)))

    async def index(self, body: bytes) -> Reply:
        """Answer ``RepositoryIndex``: all versions of all models; every one is ready."""
        return Reply(
            _inference["RepositoryIndexResponse"](models=to_builtins(index_document(self.engine.catalog)))
        )

    async def check(self, body: bytes) -> Reply:
        """Answer gRPC's health check: whether the server, or its one service, takes calls."""
        service = _parse("HealthCheckRequest", body, classes=_checks).service
        if service not in ("", SERVICE):
            raise RequestError(
                ErrorCode.NOT_FOUND, f"there is no service {service!r}; ask for {SERVICE}, or for none"
            )
        status = _SERVING if self.engine.ready else _NOT_SERVING
        return Reply(_checks["HealthCheckResponse"](status=status))

    def _read(self, body: bytes) -> tuple[Card, InferRequest]:
        message = _parse("ModelInferRequest", body)
        card = self._named(message.model_name, message.model_version)
        return card, read_message(message, card=card, max_batch=self.settings.max_batch)

    def _card(self, message: Message) -> Card:
        return self._named(message.name, message.version)

    def _named(self, name: str, version: str) -> Card:
        return self.engine.catalog.card(name, parse_version(version) if version else None)


def _parse(name: str, body: bytes, *, classes: Mapping[str, MessageClass] = _inference) -> Message:
    try:
        return classes[name].FromString(body)
    except DecodeError as error:
        raise invalid_request(f"the {len(body)} bytes sent are no {name}") from error
