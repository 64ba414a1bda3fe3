"""Owns what the document says of TensorFlow Serving's REST API."""

from collections.abc import Sequence

from service.server.openapi.facts import Facts
from service.server.openapi.parts import (
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

TAG = "TensorFlow Serving"
_TEXT = (
    'Rows in `instances` or columns in `inputs`: nested lists, pictures as `{"b64": "…"}`, or texts. '
    "The body is read as JSON whatever its content type says."
)


def paths(facts: Facts) -> Paths:
    """Return the paths of the dialect."""
    name, version = name_in_path(facts, facts.cards), version_in_path(facts, facts.cards)
    documents: Paths = {}
    for path, parameters, suffix in (
        ("/v1/models/{name}", [name], ""),
        ("/v1/models/{name}/versions/{version}", [name, version], "Version"),
    ):
        status = _get("Status", "The state of each version", "ModelStatus", parameters, suffix)
        metadata = _get("Metadata", "The signature", "Metadata", parameters, suffix)
        documents[path] = {"get": status.document(facts)}
        documents[f"{path}/metadata"] = {"get": metadata.document(facts)}
        documents[f"{path}:predict"] = {"post": _predict(facts, parameters, suffix).document(facts)}
    return documents


def schemas(facts: Facts) -> dict[str, Json]:
    """Return the schemas that the dialect's paths refer to."""
    text: Json = {"type": "string"}
    rows: Json = {"type": "array", "items": {}, "minItems": 1, "maxItems": facts.settings.max_batch}
    columns = {"anyOf": [rows, {"type": "object", "additionalProperties": rows}]}
    signature: Json = {"type": ["string", "null"], "enum": ["serving_default", "", None]}
    probabilities: Json = {
        "type": "array",
        "items": {"type": "array", "items": {"type": "number", "minimum": 0, "maximum": 1}},
        "description": "One row per input, of all labels in the order of the card",
    }
    status = record(
        {
            "version": text,
            "state": {"type": "string", "enum": ["AVAILABLE", "UNLOADING"]},
            "status": record({"error_code": {"type": "string", "const": "OK"}, "error_message": text}),
        }
    )
    sizes = {"type": "array", "items": record({"size": text, "name": text})}
    tensor = record(
        {
            "dtype": {"type": "string", "enum": ["DT_UINT8", "DT_INT32", "DT_FLOAT"]},
            "tensor_shape": record({"dim": sizes, "unknown_rank": {"type": "boolean"}}),
            "name": text,
        }
    )
    tensors = {"type": "object", "additionalProperties": tensor}
    default = record({"inputs": tensors, "outputs": tensors, "method_name": text})
    definitions = record({"signature_def": record({"serving_default": default})})
    return {
        "TfServingRequest": {
            "oneOf": [
                {
                    "type": "object",
                    "required": [field],
                    "properties": {field: schema, "signature_name": signature},
                }
                for field, schema in (("instances", rows), ("inputs", columns))
            ]
        },
        "TfServingAnswer": {
            "oneOf": [record({"predictions": probabilities}), record({"outputs": probabilities})]
        },
        "TfServingModelStatus": record({"model_version_status": {"type": "array", "items": status}}),
        "TfServingMetadata": record(
            {
                "model_spec": record(
                    {"name": facts.names(facts.cards), "signature_name": text, "version": text}
                ),
                "metadata": record({"signature_def": definitions}),
            }
        ),
    }


def _get(kind: str, summary: str, schema: str, parameters: Sequence[Json], suffix: str) -> Operation:
    return Operation(
        id=f"tfServing{kind}{suffix}",
        tag=TAG,
        summary=summary,
        parameters=parameters,
        answers={JSON: content(ref(f"TfServing{schema}"))},
        refusals=(404,),
    )


def _predict(facts: Facts, parameters: Sequence[Json], suffix: str) -> Operation:
    return Operation(
        id=f"tfServingPredict{suffix}",
        tag=TAG,
        summary="The probabilities of each row",
        text=_TEXT,
        parameters=parameters,
        headers=("X-Model-Version", "Server-Timing"),
        body={JSON: content(ref("TfServingRequest"), _examples(facts))},
        answers={JSON: content(ref("TfServingAnswer"))},
        refusals=(404, 422, *QUEUED),
    )


def _examples(facts: Facts) -> dict[str, Json]:
    examples = {}
    for card in facts.cards:
        if card.task == "text-classification":
            examples[card.name] = example(card, "a review", {"instances": [sample(card)]})
        else:
            examples[card.name] = example(card, "a picture file", {"instances": [{"b64": sample(card)}]})
    for card in facts.cards:
        levels = pixels(card)
        if levels is not None and len(card.input.shape) == 3:
            width = card.input.shape[2]
            rows = [levels[start : start + width] for start in range(0, len(levels), width)]
            examples[f"{card.name}-columns"] = example(card, "a tensor, in columns", {"inputs": [rows]})
    return examples
