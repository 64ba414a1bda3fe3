"""Implements the methods of the Open Inference Protocol's gRPC service, and of gRPC's health check."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar, cast

import msgspec
from google.protobuf.message import DecodeError, Message
from grpc_health.v1.health_pb2 import DESCRIPTOR as HEALTH_FILE
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from service.inference.card import Card
from service.inference.errors import shorten
from service.server.execution.engine import Engine
from service.server.pipeline.errors import ErrorCode, RequestError
from service.server.protocols.common.model_index import index_document
from service.server.protocols.common.parameters import parse_version
from service.server.protocols.common.responses import timing_headers
from service.server.protocols.oip import inference_pb2 as messages
from service.server.protocols.oip.grpc_infer import infer_message, read_message
from service.server.protocols.oip.metadata import (
    GRPC_EXTENSIONS,
    check_parameters,
    config_document,
    model_document,
    server_document,
)
from service.server.protocols.oip.request import InferRequest, invalid_request
from service.server.protocols.oip.statistics import statistics_document
from service.server.protocols.oip.wire_format import has_more_fields
from service.settings import Settings

SERVICE = messages.DESCRIPTOR.services_by_name["GRPCInferenceService"].full_name
HEALTH = HEALTH_FILE.services_by_name["Health"].full_name

# The tensor of a longer message is read in a thread, so that it does not block the event loop.
_INLINE_BYTES = 100_000
# What that takes for each byte: of raw contents, copies in other types; of numbers in fields, also an object
# for each number.
_BYTES_PER_RAW_BYTE, _BYTES_PER_BYTE = 4, 30
# The fields of a shorter message take little memory, however many they are.
_UNCOUNTED_BYTES = 10_000
_MAX_FIELDS = 200
_TENSORS = frozenset(
    messages.ModelInferRequest.DESCRIPTOR.fields_by_name[name].number for name in ("inputs", "outputs")
)

M = TypeVar("M", bound=Message)


@dataclass(frozen=True)
class Reply:
    """The response to a call.

    Attributes:
        message: The response message.
        metadata: Trailing metadata.
    """

    message: Message
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Method:
    """A method of a gRPC service.

    Attributes:
        answer: Takes the serialised request message.
        predicts: Whether calls count towards the concurrency limit.
        probe: Whether it is a health check, which needs no API key.
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
        """Return the methods by the path of a call."""
        methods = {
            f"/{SERVICE}/ModelInfer": Method(self.infer, predicts=True),
            f"/{SERVICE}/ServerLive": Method(self.live, probe=True),
            f"/{SERVICE}/ServerReady": Method(self.ready, probe=True),
            f"/{SERVICE}/ModelReady": Method(self.model_ready),
            f"/{SERVICE}/ServerMetadata": Method(self.server),
            f"/{SERVICE}/ModelMetadata": Method(self.model),
            f"/{SERVICE}/ModelConfig": Method(self.config),
            f"/{SERVICE}/ModelStatistics": Method(self.statistics),
            f"/{SERVICE}/RepositoryIndex": Method(self.index),
            f"/{HEALTH}/Check": Method(self.check, probe=True),
        }
        if self.settings.model_control:
            methods[f"/{SERVICE}/RepositoryModelLoad"] = Method(self.load)
            methods[f"/{SERVICE}/RepositoryModelUnload"] = Method(self.unload)
        return methods

    async def infer(self, body: bytes) -> Reply:
        """Answer ``ModelInfer``: probabilities, or the best labels, for a batch of inputs."""
        started = time.perf_counter()
        message = parse_message(messages.ModelInferRequest, body)
        name, version = message.model_name, message.model_version
        predictor = await self.engine.predictor(name, parse_version(version) if version else None)
        card = predictor.card
        read = partial(read_message, message, card=card, max_batch=self.settings.max_batch)
        if len(body) <= _INLINE_BYTES:
            request = read()
        else:
            size = len(body) * (_BYTES_PER_RAW_BYTE if message.raw_input_contents else _BYTES_PER_BYTE)
            request = await self.engine.in_thread(partial(self._read_large, read, size))
        result = await self.engine.infer(predictor, request.content, started=started)
        response = infer_message(request, result.probabilities, card=card)
        return Reply(response, timing_headers(card, result))

    async def live(self, body: bytes) -> Reply:
        """Answer ``ServerLive``: the process is alive."""
        return Reply(messages.ServerLiveResponse(live=True))

    async def ready(self, body: bytes) -> Reply:
        """Answer ``ServerReady``: whether all models are loaded and warm, and the server stays up."""
        return Reply(messages.ServerReadyResponse(ready=self.engine.is_ready()))

    async def model_ready(self, body: bytes) -> Reply:
        """Answer ``ModelReady``: whether the model accepts requests."""
        request = parse_message(messages.ModelReadyRequest, body)
        self._card(request.name, request.version)
        return Reply(messages.ModelReadyResponse(ready=self.engine.is_ready()))

    async def server(self, body: bytes) -> Reply:
        """Answer ``ServerMetadata``: the server's name, version and extensions."""
        document = msgspec.to_builtins(server_document(GRPC_EXTENSIONS))
        return Reply(messages.ServerMetadataResponse(**document))

    async def model(self, body: bytes) -> Reply:
        """Answer ``ModelMetadata``: versions, inputs and outputs."""
        request = parse_message(messages.ModelMetadataRequest, body)
        card = self._card(request.name, request.version)
        document = model_document(card, versions=self.engine.catalog.versions(card.name))
        return Reply(messages.ModelMetadataResponse(**msgspec.to_builtins(document)))

    async def config(self, body: bytes) -> Reply:
        """Answer ``ModelConfig``: shapes and the largest batch."""
        request = parse_message(messages.ModelConfigRequest, body)
        card = self._card(request.name, request.version)
        precision = self.engine.catalog.precision(card)
        document = config_document(card, max_batch=self.settings.max_batch, precision=precision)
        return Reply(messages.ModelConfigResponse(config=msgspec.to_builtins(document)))

    async def statistics(self, body: bytes) -> Reply:
        """Answer ``ModelStatistics``: what was counted for a version, for a model, or for all models."""
        request = parse_message(messages.ModelStatisticsRequest, body)
        version = parse_version(request.version) if request.version else None
        document = statistics_document(self.engine.catalog.cards(request.name or None, version))
        return Reply(messages.ModelStatisticsResponse(**msgspec.to_builtins(document)))

    async def index(self, body: bytes) -> Reply:
        """Answer ``RepositoryIndex``: all versions of all models, with those that cannot be used."""
        request = parse_message(messages.RepositoryIndexRequest, body)
        models = msgspec.to_builtins(index_document(self.engine.catalog, ready=request.ready))
        return Reply(messages.RepositoryIndexResponse(models=models))

    async def load(self, body: bytes) -> Reply:
        """Answer ``RepositoryModelLoad``: the model is loaded in all workers."""
        request = parse_message(messages.RepositoryModelLoadRequest, body)
        check_parameters(request.parameters)
        await self.engine.control.load(request.model_name)
        return Reply(messages.RepositoryModelLoadResponse())

    async def unload(self, body: bytes) -> Reply:
        """Answer ``RepositoryModelUnload``: the model is unloaded in all workers."""
        request = parse_message(messages.RepositoryModelUnloadRequest, body)
        check_parameters(request.parameters)
        await self.engine.control.unload(request.model_name)
        return Reply(messages.RepositoryModelUnloadResponse())

    async def check(self, body: bytes) -> Reply:
        """Answer gRPC's health check: whether the server, or its inference service, accepts calls."""
        service = parse_message(HealthCheckRequest, body).service
        if service not in ("", SERVICE):
            raise RequestError(
                ErrorCode.NOT_FOUND, f"there is no service {shorten(service)}; ask for {SERVICE}, or for none"
            )
        ready = self.engine.is_ready()
        return Reply(
            HealthCheckResponse(
                status=HealthCheckResponse.SERVING if ready else HealthCheckResponse.NOT_SERVING
            )
        )

    def _read_large(self, read: Callable[[], InferRequest], size: int) -> InferRequest:
        with self.engine.working_memory.reserve(size):
            return read()

    def _card(self, name: str, version: str) -> Card:
        return self.engine.catalog.card(name, parse_version(version) if version else None)


def parse_message(kind: type[M], body: bytes) -> M:
    """Return a message.

    Args:
        kind: Its class.
        body: The serialised message.

    Raises:
        RequestError: 400: The bytes are no such message, or it has too many fields.
    """
    nested = _TENSORS if kind is messages.ModelInferRequest else frozenset[int]()
    if len(body) > _UNCOUNTED_BYTES and has_more_fields(body, _MAX_FIELDS, nested=nested):
        raise invalid_request(f"the message has more than {_MAX_FIELDS} fields; send one input")
    try:
        return cast(M, kind.FromString(body))
    except DecodeError as error:
        raise invalid_request(f"the {len(body)} bytes sent are no {kind.DESCRIPTOR.name}") from error
