"""Owns what the document says of the probes, the metrics, and the page that shows the document."""

from collections.abc import Sequence

from service.server.openapi.facts import Facts
from service.server.openapi.parts import BINARY, JSON, Json, Operation, Paths, content
from service.server.playground.page import FILES

TAG = "operations"


def paths(facts: Facts) -> Paths:
    """Return the paths."""
    file: Json = {
        "name": "file",
        "in": "path",
        "required": True,
        "description": "One of the files that the page at `/` needs",
        "schema": {"type": "string", "enum": list(FILES)},
    }
    operations = {
        "/livez": _text("livez", "Is the process alive?", "ok\n"),
        "/healthz": _text("healthz", "The same as `/livez`", "ok\n"),
        "/readyz": _text("readyz", "Are all models ready?", "ready\n", refusals=(503,)),
        "/metrics": Operation(
            id="metrics",
            tag=TAG,
            summary="Metrics in Prometheus' text format",
            answers={"text/plain": content({"type": "string"})},
        ),
        "/": _page("page", "This page", "text/html", {"type": "string"}),
        "/docs.json": _page("document", "This document", JSON, {"type": "object"}),
        "/openapi.json": _page("documentToo", "This document", JSON, {"type": "object"}),
        "/static_content/{file}": Operation(
            id="pageFile",
            tag=TAG,
            summary="A file of this page",
            parameters=[file],
            headers=("ETag",),
            answers={kind: content(BINARY) for kind in dict.fromkeys(FILES.values())},
            refusals=(404,),
            cached=True,
            open=True,
        ),
    }
    return {path: {"get": operation.document(facts)} for path, operation in operations.items()}


def _text(operation: str, summary: str, answer: str, *, refusals: Sequence[int] = ()) -> Operation:
    return Operation(
        id=operation,
        tag=TAG,
        summary=summary,
        answers={"text/plain": content({"type": "string", "const": answer})},
        refusals=refusals,
        open=True,
    )


def _page(operation: str, summary: str, kind: str, schema: Json) -> Operation:
    return Operation(
        id=operation,
        tag=TAG,
        summary=summary,
        headers=("ETag",),
        answers={kind: content(schema)},
        cached=True,
        open=True,
    )
