"""Owns what all operations of the document are made of: parameters, headers, bodies, answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.inference.card import Card
from service.server.openapi.errors import refused
from service.server.openapi.facts import Facts

Json = dict[str, Any]
Paths = dict[str, Json]

JSON = "application/json"
BINARY: Json = {"type": "string", "format": "binary"}
# Every request with a body waits for a place in the queue, and may be too long for it or come at a bad time.
QUEUED = (400, 413, 429, 503, 504)


def ref(name: str) -> Json:
    """Return a reference to a component's schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def record(properties: Json) -> Json:
    """Return the schema of an object that has all of some properties."""
    return {"type": "object", "required": list(properties), "properties": properties}


@dataclass(frozen=True)
class Operation:
    """One method of one path.

    Attributes:
        id: Stable name, for generated clients.
        tag: The dialect.
        summary: One line for people.
        answers: Content by media type of the good answer.
        text: More for people.
        parameters: Those besides ``X-Request-ID``, which all operations take.
        headers: Names of response headers besides ``X-Request-ID``.
        body: Content by media type of the request; None if it has no body.
        optional: Whether the body may be left out.
        refusals: Statuses other than those that any request may get.
        cached: Whether the answer may be ``304``.
        open: Whether it needs no key where all others do.
    """

    id: str
    tag: str
    summary: str
    answers: Mapping[str, Json]
    text: str = ""
    parameters: Sequence[Json] = ()
    headers: Sequence[str] = ()
    body: Mapping[str, Json] | None = None
    optional: bool = False
    refusals: Sequence[int] = ()
    cached: bool = False
    open: bool = False

    def document(self, facts: Facts) -> Json:
        """Return the operation as OpenAPI has it."""
        keyed = bool(facts.settings.api_keys) and not self.open
        statuses = {*self.refusals, 500} | ({401} if keyed else set())
        good: Json = {"description": "The answer", "headers": headers(*self.headers)}
        if self.answers:
            good["content"] = dict(self.answers)
        answers: Json = {"200": good}
        if self.cached:
            answers["304"] = {"description": "As before: `If-None-Match` holds its `ETag`"}
        document: Json = {
            "operationId": self.id,
            "tags": [self.tag],
            "summary": self.summary,
            "description": self.text,
            "parameters": [*self.parameters, {"$ref": "#/components/parameters/X-Request-ID"}],
            "responses": answers | refused(tuple(statuses)),
        }
        if self.body is not None:
            document["requestBody"] = {"required": not self.optional, "content": dict(self.body)}
        if self.open and facts.settings.api_keys:
            document["security"] = []
        return document


def headers(*names: str) -> Json:
    """Return references to response headers; ``X-Request-ID`` is always among them."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-ID", *names)}


def content(schema: Json, examples: Mapping[str, Json] | None = None) -> Json:
    """Return the content of one media type, with its examples if there are any."""
    return {"schema": schema, "examples": dict(examples)} if examples else {"schema": schema}


def example(card: Card, words: str, value: object) -> Json:
    """Return an example that goes with one model.

    Args:
        card: Of the model.
        words: What it is, such as ``a picture``.
        value: The body.
    """
    return {"summary": f"name = {card.name}: {words}", "value": value}


def query(name: str, schema: Json, text: str) -> Json:
    """Return an optional parameter of the query string."""
    return {"name": name, "in": "query", "schema": schema, "description": text}


def name_in_path(facts: Facts, cards: Sequence[Card]) -> Json:
    """Return the parameter ``name`` of a path."""
    return _in_path("name", facts.names(cards), "The model", cards[0].name if cards else None)


def version_in_path(facts: Facts, cards: Sequence[Card]) -> Json:
    """Return the parameter ``version`` of a path."""
    return _in_path(
        "version",
        facts.versions(cards),
        "One of the model's versions; `GET /models` lists them",
        cards[0].version if cards else None,
    )


def _in_path(name: str, schema: Json, text: str, given: object) -> Json:
    parameter = {"name": name, "in": "path", "required": True, "schema": schema, "description": text}
    return parameter if given is None else parameter | {"example": given}
