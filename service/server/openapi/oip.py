"""Owns what the document says of the Open Inference Protocol, version 2."""

from collections.abc import Sequence

from service.inference.card import Card
from service.inference.precision import Precision
from service.server.openapi.facts import Facts
from service.server.openapi.parts import (
    BINARY,
    JSON,
    QUEUED,
    Json,
    Operation,
    Paths,
    content,
    example,
    name_in_path,
    record,
    ref,
    version_in_path,
)
from service.server.openapi.samples import pixels, sample
from service.server.openapi.schemas import shape_of
from service.server.protocols.common.tensors import OUTPUT
from service.server.protocols.oip.tensors import BYTES, DATATYPE_BY_DTYPE

TAG = "Open Inference Protocol"
_LENGTH = "Inference-Header-Content-Length"
_NUMBERS = [f"{kind}{bits}" for kind in ("UINT", "INT") for bits in (8, 16, 32, 64)] + [
    "FP16",
    "FP32",
    "FP64",
]
_INFER_TEXT = (
    "A tensor of numbers as the model's metadata describe it, or `BYTES` of shape [n]: texts, or picture "
    "files, in JSON in base64. The content type is not looked at, only the header "
    f"`{_LENGTH}`: without it the body is JSON; with it, that many bytes of JSON and then the tensor's "
    "little-endian bytes; with 0 the body is nothing but the tensor. Compressed bodies are not read. "
    "The answer is binary if the request asks for that."
)


def paths(facts: Facts) -> Paths:
    """Return the paths of the dialect."""
    name, version = name_in_path(facts, facts.cards), version_in_path(facts, facts.cards)
    documents: Paths = {
        "/v2": {"get": _plain("oipServer", "The server and its extensions", "OipServer").document(facts)},
        "/v2/health/live": {
            "get": _plain("oipLive", "Is the process alive?", "OipLive", open=True).document(facts)
        },
        "/v2/health/ready": {
            "get": _plain(
                "oipReady", "Are all models ready?", "OipReady", refusals=(503,), open=True
            ).document(facts)
        },
        "/v2/repository/index": {"post": _index().document(facts)},
    }
    for path, parameters, suffix in (
        ("/v2/models/{name}", [name], ""),
        ("/v2/models/{name}/versions/{version}", [name, version], "Version"),
    ):
        described = (
            ("", "oipModel", "A model's versions, inputs and outputs", "OipModel", (404,)),
            ("/ready", "oipModelReady", "Is the model ready?", "OipModelReady", (404, 503)),
            ("/config", "oipModelConfig", "Shapes and the largest batch", "OipConfig", (404,)),
        )
        for end, operation, summary, schema, refusals in described:
            get = _plain(f"{operation}{suffix}", summary, schema, parameters=parameters, refusals=refusals)
            documents[f"{path}{end}"] = {"get": get.document(facts)}
        documents[f"{path}/infer"] = {"post": _infer(facts, parameters, suffix).document(facts)}
    return documents


def schemas(facts: Facts) -> dict[str, Json]:
    """Return the schemas that the dialect's paths refer to."""
    name, text, flag = facts.names(facts.cards), {"type": "string"}, {"type": "boolean"}
    sizes: Json = {"type": "array", "items": {"type": "integer"}, "description": "-1: any"}
    numbers = {"type": "string", "enum": [*DATATYPE_BY_DTYPE.values(), "FP32"]}
    tensor = record({"name": text, "datatype": numbers, "shape": sizes})
    config = {
        "name": text,
        "data_type": {"type": "string", "enum": [f"TYPE_{each}" for each in numbers["enum"]]},
        "dims": sizes,
    }
    form: Json = {"format": {"type": "string", "enum": ["FORMAT_NHWC", "FORMAT_NONE"]}}
    return {
        "OipServer": record({"name": text, "version": text, "extensions": {"type": "array", "items": text}}),
        "OipLive": record({"live": flag}),
        "OipReady": record({"ready": flag}),
        "OipModelReady": record({"name": name, "ready": flag}),
        "OipModel": record(
            {
                "name": name,
                "versions": {"type": "array", "items": text},
                "platform": {"type": "string", "const": "onnxruntime_onnx"},
                "inputs": {"type": "array", "items": tensor},
                "outputs": {"type": "array", "items": tensor},
            }
        ),
        "OipConfig": record(
            {
                "name": name,
                "platform": {"type": "string", "const": "onnxruntime_onnx"},
                "backend": {"type": "string", "const": "onnxruntime"},
                "max_batch_size": {"type": "integer"},
                "input": {"type": "array", "items": record(config | form)},
                "output": {"type": "array", "items": record(config)},
                "parameters": record({"precision": record({"string_value": shape_of(Precision)})}),
            }
        ),
        "OipIndex": {
            "type": "array",
            "items": record(
                {"name": name, "version": text, "state": {"type": "string", "const": "READY"}, "reason": text}
            ),
        },
        "OipRequest": _request(),
        "OipAnswer": _answer(facts),
    }


def _request() -> Json:
    tensor: Json = {
        "type": "object",
        "required": ["name", "datatype", "shape"],
        "properties": {
            "name": {"type": "string", "description": "As the model's metadata name it"},
            "datatype": {"type": "string", "enum": [BYTES, *_NUMBERS]},
            "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
            "data": {"type": "array", "items": {}, "description": "Nested as the shape says, or flat"},
            "parameters": {
                "type": ["object", "null"],
                "properties": {"binary_data_size": {"type": "integer", "minimum": 0}},
            },
        },
    }
    output: Json = {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "const": OUTPUT},
            "parameters": {
                "type": ["object", "null"],
                "properties": {
                    "classification": {
                        "type": "integer",
                        "minimum": 0,
                        "description": "Name that many labels, as BYTES `probability:index:label`",
                    },
                    "binary_data": {"type": "boolean"},
                },
            },
        },
    }
    return {
        "type": "object",
        "required": ["inputs"],
        "properties": {
            "id": {"type": ["string", "null"], "description": "Comes back in the answer"},
            "inputs": {"type": "array", "items": tensor, "minItems": 1, "maxItems": 1},
            "outputs": {"type": ["array", "null"], "items": output, "maxItems": 1},
            "parameters": {
                "type": ["object", "null"],
                "properties": {"binary_data_output": {"type": "boolean"}},
            },
        },
    }


def _answer(facts: Facts) -> Json:
    output = record(
        {
            "name": {"type": "string", "const": OUTPUT},
            "datatype": {"type": "string", "enum": ["FP32", BYTES]},
            "shape": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
            "data": {"type": "array", "items": {"type": ["number", "string"]}},
        }
    )
    answer = {
        "model_name": facts.names(facts.cards),
        "model_version": {"type": "string"},
        "outputs": {"type": "array", "items": output, "minItems": 1, "maxItems": 1},
    }
    document = record(answer)
    document["properties"] = answer | {"id": {"type": "string"}}
    return document


def _plain(
    operation: str,
    summary: str,
    schema: str,
    *,
    parameters: Sequence[Json] = (),
    refusals: Sequence[int] = (),
    open: bool = False,
) -> Operation:
    return Operation(
        id=operation,
        tag=TAG,
        summary=summary,
        answers={JSON: content(ref(schema))},
        parameters=parameters,
        refusals=refusals,
        open=open,
    )


def _index() -> Operation:
    request: Json = {
        "type": "object",
        "properties": {"ready": {"description": "Not looked at: every version is ready, or can be"}},
    }
    examples = {"all": {"summary": "those that are ready", "value": {"ready": True}}}
    return Operation(
        id="oipIndex",
        tag=TAG,
        summary="All versions of all models",
        body={JSON: content(request, examples)},
        optional=True,
        answers={JSON: content(ref("OipIndex"))},
        refusals=QUEUED,
    )


def _infer(facts: Facts, parameters: Sequence[Json], suffix: str) -> Operation:
    length: Json = {
        "name": _LENGTH,
        "in": "header",
        "description": "Bytes of JSON at the beginning of a binary body",
        "schema": {"type": "integer", "minimum": 0},
    }
    return Operation(
        id=f"oipInfer{suffix}",
        tag=TAG,
        summary="Probabilities, or the best labels, of a batch",
        text=_INFER_TEXT,
        parameters=[*parameters, length],
        headers=("X-Model-Version", "Server-Timing"),
        body={
            JSON: content(ref("OipRequest"), _examples(facts)),
            "application/octet-stream": content(BINARY),
        },
        answers={JSON: content(ref("OipAnswer")), "application/octet-stream": content(BINARY)},
        refusals=(404, 415, 422, *QUEUED),
    )


def _examples(facts: Facts) -> dict[str, Json]:
    examples = {}
    for card in facts.cards:
        words = "a review" if card.task == "text-classification" else "a picture file in base64"
        tensor = {"name": card.input.name, "datatype": BYTES, "shape": [1], "data": [sample(card)]}
        best = {"name": OUTPUT, "parameters": {"classification": 1}}
        value = {"id": "lecture-7", "inputs": [tensor], "outputs": [best]}
        examples[card.name] = example(card, f"{words}, its best label", value)
    for card in facts.cards:
        if (levels := pixels(card)) is not None:
            value = _tensor(card, levels)
            examples[f"{card.name}-tensor"] = example(card, "a tensor, all probabilities", value)
    return examples


def _tensor(card: Card, levels: list[int]) -> Json:
    spec = card.input
    tensor = {
        "name": spec.name,
        "datatype": DATATYPE_BY_DTYPE[spec.dtype],
        "shape": [1, *spec.shape[1:]],
        "data": levels,
    }
    return {"inputs": [tensor]}
