"""Owns the document as a whole."""

from service.inference.catalog import Catalog
from service.server.openapi import bento, huggingface, oip, operations, tfserving
from service.server.openapi.errors import CODES, responses, schemas
from service.server.openapi.facts import Facts
from service.server.openapi.parts import Json
from service.server.protocols.oip.metadata import server_document
from service.settings import Settings

_DIALECTS = (huggingface, oip, tfserving, bento)
_TAGS = {
    huggingface.TAG: "A picture or a text in, labels with scores out: as in Hugging Face's inference API",
    oip.TAG: "Version 2 over HTTP, for the clients of Triton and KServe",
    tfserving.TAG: "The REST API of TensorFlow Serving",
    bento.TAG: "Typed methods for BentoML's clients",
    operations.TAG: "Probes, metrics, and this page",
}
_HEADERS: dict[str, Json] = {
    "X-Request-ID": {"description": "The caller's, or a new one", "schema": {"type": "string"}},
    "X-Model-Version": {"description": "The version that answered", "schema": {"type": "integer"}},
    "X-Lectern-Unsure": {
        "description": "Whether the best score is below the card's threshold, one word per input",
        "schema": {"type": "string", "pattern": "^(true|false)(,(true|false))*$"},
    },
    "Server-Timing": {
        "description": "Milliseconds spent on decoding, waiting and inference",
        "schema": {
            "type": "string",
            "examples": ["decode;dur=0.121, queue;dur=0.000, inference;dur=0.164"],
        },
    },
    "Inference-Header-Content-Length": {
        "description": "Of a binary answer: bytes of JSON at its beginning",
        "schema": {"type": "integer", "minimum": 1},
    },
    "Retry-After": {"description": "Seconds to wait before trying again", "schema": {"type": "integer"}},
    "WWW-Authenticate": {"schema": {"type": "string", "const": "Bearer"}},
    "Allow": {"description": "Methods that the path has", "schema": {"type": "string"}},
    "ETag": {"description": "To be sent back in `If-None-Match`", "schema": {"type": "string"}},
}


def build_document(catalog: Catalog, settings: Settings) -> Json:
    """Return the OpenAPI 3.1 document of the server at hand, ready for JSON.

    Args:
        catalog: The models that it serves.
        settings: Its limits, and whether it wants keys.
    """
    facts = Facts(catalog, settings)
    paths: Json = {}
    components: Json = {}
    for dialect in _DIALECTS:
        paths |= dialect.paths(facts)
        components |= dialect.schemas(facts)
    paths |= operations.paths(facts)
    statuses = [status for status in CODES if status != 401 or settings.api_keys]
    document: Json = {
        "openapi": "3.1.0",
        "info": {
            "title": "Lectern",
            "version": server_document()["version"],
            "description": _description(facts),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "."}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": components | schemas(statuses),
            "responses": responses(statuses),
            "headers": _HEADERS,
            "parameters": {"X-Request-ID": _request_id()},
        },
    }
    if settings.api_keys:
        scheme = {"type": "http", "scheme": "bearer", "description": "One of the server's API keys"}
        document["components"]["securitySchemes"] = {"key": scheme}
        document["security"] = [{"key": []}]
    return document


def _description(facts: Facts) -> str:
    limits = facts.settings
    return (
        "The networks of a deep-learning lecture: pictures and texts in, softmax probabilities out.\n\n"
        f"A body may have {limits.max_body_mb} MB, a picture {limits.max_pixels:,} pixels, a request "
        f"{limits.max_batch} inputs and {limits.timeout_s:g} s. Every example can be sent as it is; where "
        "there are several, choose the model that its line names, too.\n\n"
        "A refusal has the same JSON body in each dialect: what was wrong, a code for programs, and the "
        "request's id. A method that a path does not have gets 405; `HEAD` is answered wherever `GET` is."
    )


def _request_id() -> Json:
    return {
        "name": "X-Request-ID",
        "in": "header",
        "description": "Comes back in the answer and stands in the log. Up to 128 letters, digits and "
        "`._:/+=-`; anything else is replaced.",
        "schema": {"type": "string"},
    }
