"""Builds the parts of responses that several protocols share."""

from collections.abc import Sequence
from typing import Any

import msgspec
import orjson
from starlette.responses import Response

from service.inference.card import Card
from service.inference.prediction import Reason
from service.server.execution.engine import InferenceResult


def _encode_array(value: Any) -> msgspec.Raw:
    return msgspec.Raw(orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY))


_encoder = msgspec.json.Encoder(enc_hook=_encode_array)


def encode_json(content: object) -> bytes:
    """Return structs and plain values as JSON; NumPy arrays become nested lists."""
    return _encoder.encode(content)


def json_response(content: object, headers: dict[str, str] | None = None) -> Response:
    """Return a JSON response; NumPy arrays become nested lists."""
    return Response(encode_json(content), headers=headers, media_type="application/json")


def unsure_headers(unsure: Sequence[bool], reasons: Sequence[Reason | None]) -> dict[str, str]:
    """Return the headers that tell which predictions are unsure, and why if not for their scores.

    Args:
        unsure: For each input, whether its best score is below the card's threshold.
        reasons: For each input, why its prediction is unsure whatever its scores are; empty if for none.
    """
    if not reasons:
        return {"X-Lectern-Unsure": ",".join("true" if flag else "false" for flag in unsure)}
    flags = (flag or reason is not None for flag, reason in zip(unsure, reasons, strict=True))
    return {
        "X-Lectern-Unsure": ",".join("true" if flag else "false" for flag in flags),
        "X-Lectern-Reason": ",".join(reason or "none" for reason in reasons),
    }


def timing_headers(card: Card, result: InferenceResult) -> dict[str, str]:
    """Return the headers of a prediction: the model's version and the time spent, in milliseconds."""
    return {
        "X-Model-Version": str(card.version),
        "Server-Timing": f"decode;dur={result.decode_ms:.3f}, queue;dur={result.queue_ms:.3f}, "
        f"inference;dur={result.inference_ms:.3f}",
    }
