"""Builds the OpenAPI document from the endpoints, the served models and the settings."""

from collections.abc import Iterator, Sequence
from typing import get_args

from service.inference.catalog import Catalog
from service.inference.prediction import Reason
from service.server.openapi.sample_inputs import make_sample
from service.server.openapi.schemas import REFERENCE, SchemaBuilder
from service.server.openapi.served import Json, ServedModels
from service.server.pipeline.errors import NOT_IN_HTTP_RESPONSES, ErrorBody, ErrorCode
from service.server.protocols.common import api
from service.server.protocols.oip.metadata import server_document
from service.settings import Settings

# The concurrency limit and the deadline apply to a request with a body, which can be malformed or too long.
_BODY_ERRORS = (400, 408, 413, 429, 503, 504)
_TEXT, _NUMBER = {"type": "string"}, {"type": "integer"}
_REASONS = "|".join(("none", *get_args(Reason)))
_RESPONSE_HEADERS: dict[str, Json] = {
    name: {"description": description, "schema": schema}
    for name, schema, description in (
        ("X-Request-ID", _TEXT, "The client's, or a new one"),
        ("traceparent", _TEXT, "The client's, or the span of the server if it exports spans"),
        ("X-Model-Version", _NUMBER, "The version that answered"),
        (
            "X-Lectern-Unsure",
            _TEXT | {"pattern": "^(true|false)(,(true|false))*$"},
            "Whether the best score is below the card's threshold, or there is a reason; one word per input",
        ),
        (
            "X-Lectern-Reason",
            _TEXT | {"pattern": f"^({_REASONS})(,({_REASONS}))*$"},
            "Why a prediction is unsure whatever its scores are, one word per input; left out if for none. "
            "`several_digits`: send the picture to `/models/{name}/read`; `stroke_too_thick`: draw the digit "
            "larger or with a thinner pen; `out_of_range`: a value in the row lies outside the range of the "
            "training data; `missing_values`: more are missing than in those",
        ),
        (
            "Server-Timing",
            _TEXT | {"examples": ["decode;dur=0.121, queue;dur=0.000, inference;dur=0.164"]},
            "Milliseconds of decoding, waiting and inference",
        ),
        ("Inference-Header-Content-Length", _NUMBER, "Bytes of JSON that begin a binary response"),
        ("Retry-After", _NUMBER, "Seconds to wait before the next try"),
        ("WWW-Authenticate", _TEXT | {"const": "Bearer"}, "How to send an API key"),
        ("Allow", _TEXT, "Methods of the path"),
        ("ETag", _TEXT, "For `If-None-Match`"),
    )
}
_BEARER: Json = {"type": "http", "scheme": "bearer"}
_HEADER: Json = {"type": "apiKey", "in": "header", "name": "X-API-Key"}
_API_KEY: Json = {"description": "One of the server's API keys"}
_PATH_PARAMETERS: tuple[tuple[str, Json, str], ...] = (
    ("name", _TEXT, "The model"),
    ("version", _NUMBER, "One of the model's versions; `GET /models` lists them"),
)
_ERROR_HEADERS = {401: "WWW-Authenticate", 405: "Allow", 429: "Retry-After", 503: "Retry-After"}
_REQUEST_ID: Json = {
    "name": "X-Request-ID",
    "in": "header",
    "description": "Comes back in the response and is in the log. Up to 128 letters, digits and "
    "`._:/+=-`; the server replaces anything else.",
    "schema": {"type": "string"},
}


def build_document(endpoints: Sequence[api.Endpoint], catalog: Catalog, settings: Settings) -> Json:
    """Return the OpenAPI 3.1 document of a server, ready for JSON.

    Args:
        endpoints: All endpoints of the server.
        catalog: The served models.
        settings: The limits, and whether clients need API keys.
    """
    return _DocumentBuilder(ServedModels(catalog, settings)).build(endpoints)


class _DocumentBuilder:
    def __init__(self, served: ServedModels) -> None:
        self._served = served
        self._settings = served.settings
        self._schemas = SchemaBuilder(served)

    def build(self, endpoints: Sequence[api.Endpoint]) -> Json:
        operations = [(endpoint.path_format, endpoint.operation) for endpoint in endpoints]
        paths: dict[str, Json] = {}
        for path, operation in operations:
            paths.setdefault(path, {})[operation.method.lower()] = self._operation(path, operation)
        tags = dict.fromkeys(operation.tag for _, operation in operations)
        errors = dict(self._error(status) for status in self._error_statuses())
        document: Json = {
            "openapi": "3.1.0",
            "info": {
                "title": "Lectern",
                "version": server_document().version,
                "description": _description(self._served),
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": "."}],
            "tags": [{"name": tag.name, "description": tag.description} for tag in tags],
            "paths": paths,
            "components": {
                "schemas": self._schemas.components,
                "responses": errors,
                "headers": _RESPONSE_HEADERS,
                "parameters": {"X-Request-ID": _REQUEST_ID},
            },
        }
        schemes: Json = {}
        if self._settings.needs_key:
            schemes |= {"key": _BEARER | _API_KEY, "header": _HEADER | _API_KEY}
            document["security"] = [{"key": []}, {"header": []}]
        if self._settings.has_metrics_key:
            schemes["metrics"] = _BEARER | {"description": "The key of the metrics"}
        if schemes:
            document["components"]["securitySchemes"] = schemes
        return document

    def _operation(self, path: str, operation: api.Operation) -> Json:
        document: Json = {
            "operationId": operation.id,
            "tags": [operation.tag.name],
            "summary": operation.summary,
            "description": operation.description,
            "parameters": [
                *self._parameters(path, operation),
                {"$ref": "#/components/parameters/X-Request-ID"},
            ],
            "responses": self._responses(path, operation),
        }
        if operation.request:
            content = {
                media_type: self._request(path, operation, media_type) for media_type in operation.request
            }
            document["requestBody"] = {"required": operation.body_required, "content": content}
        if operation.access == "metrics" and self._settings.has_metrics_key:
            document["security"] = [{"metrics": []}]
        elif self._settings.needs_key and not self._needs_key(operation):
            document["security"] = []
        return document

    def _needs_key(self, operation: api.Operation) -> bool:
        """Return whether an operation can answer 401."""
        settings = self._settings
        if operation.access == "metrics":
            return settings.has_metrics_key or (settings.needs_key and not settings.metrics_key)
        return settings.needs_key and operation.access == "key"

    def _parameters(self, path: str, operation: api.Operation) -> Iterator[Json]:
        cards = self._served.cards(operation.models)
        first = cards[0] if cards else None
        for name, schema, description in _PATH_PARAMETERS:
            if f"{{{name}}}" in path:
                schema = schema | self._served.schema(f"{name}s", operation.models)
                parameter = {"name": name, "in": "path", "required": True, "schema": schema}
                example = {"example": getattr(first, name)} if first else {}
                yield parameter | {"description": description} | example
        for place, kind in (("query", operation.query), ("header", operation.request_headers)):
            fields = self._schemas.properties(kind) if kind else {}
            for name, (schema, required) in fields.items():
                description = schema.pop("description", "")
                parameter = {"name": name, "in": place, "required": required, "schema": schema}
                yield parameter | {"description": description}

    def _request(self, path: str, operation: api.Operation, media_type: str) -> Json:
        content: Json = {"schema": self._schemas.schema(operation.request[media_type], is_response=False)}
        examples: Json = {}
        for example in operation.examples:
            if example.media_type != media_type:
                continue
            for card in self._served.cards(operation.models)[: None if example.per_model else 1]:
                made = example.make(make_sample(card))
                if made is None:
                    continue
                summary, value = made
                if example.per_model:
                    summary = f"{'name = ' if '{name}' in path else ''}{card.name}: {summary}"
                key = f"{card.name}{example.suffix}" if example.per_model else "all"
                examples[key] = {"summary": summary, "value": value}
        return content | ({"examples": examples} if examples else {})

    def _responses(self, path: str, operation: api.Operation) -> Json:
        content = {
            media_type: {"schema": self._schemas.schema(types, is_response=True)}
            for media_type, types in operation.responses.items()
        }
        headers = _headers("X-Request-ID", "traceparent", *operation.response_headers)
        responses: Json = {"200": {"description": "The response", "headers": headers, "content": content}}
        if operation.cached:
            responses["304"] = {"description": "Not modified: `If-None-Match` has the current `ETag`"}
        errors = {500, *operation.errors}
        errors |= {404} if "{" in path else set()
        errors |= set(_BODY_ERRORS) if operation.request else set()
        errors |= {401} if self._needs_key(operation) else set()
        errors |= {429} if self._settings.rate_limit and operation.access == "key" else set()
        return responses | {
            str(status): {"$ref": f"#/components/responses/Error{status}"} for status in sorted(errors)
        }

    def _error_statuses(self) -> list[int]:
        statuses = {error.status for error in ErrorCode if error not in NOT_IN_HTTP_RESPONSES}
        has_keys = self._settings.needs_key or self._settings.has_metrics_key
        return sorted(statuses - (set() if has_keys else {401}))

    def _error(self, status: int) -> tuple[str, Json]:
        """Return the component for the error responses of a status; its schema is added to the others."""
        name = f"Error{status}"
        rows = [row for row in ErrorCode if row.status == status and row not in NOT_IN_HTTP_RESPONSES]
        self._schemas.schema((ErrorBody,), is_response=True)
        schema = self._schemas.components[ErrorBody.__name__]
        code = schema["properties"]["code"] | {"enum": [row.code for row in rows]}
        example = {"error": rows[0].meaning, "code": rows[0].code, "request_id": "lecture-7"}
        self._schemas.components[name] = schema | {
            "properties": schema["properties"] | {"code": code},
            "examples": [example],
        }
        headers = ("X-Request-ID", "traceparent", *filter(None, [_ERROR_HEADERS.get(status)]))
        return name, {
            "description": "\n".join(f"- `{row.code}`: {row.meaning}" for row in rows),
            "headers": _headers(*headers),
            "content": {"application/json": {"schema": {"$ref": REFERENCE + name}}},
        }


def _headers(*names: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _description(served: ServedModels) -> str:
    limits = served.settings
    return (
        "The networks of a deep-learning lecture: pictures, texts and rows of tables in, probabilities or "
        "values out.\n\n"
        f"Limits: a body of {limits.max_body_mb} MB, a picture of {limits.max_pixels:,} pixels, "
        f"{limits.max_batch} inputs and {limits.timeout_s:g} s per request. Each example can be sent as it "
        "is; where there are several, also choose the model that the example's summary names.\n\n"
        "Errors have the same JSON body in each protocol: what was wrong, a code for programs, and the "
        "request's id. A method that a path does not have gets 405; `HEAD` works wherever `GET` does."
    )
