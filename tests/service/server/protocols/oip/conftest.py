"""Fixtures of the Open Inference Protocol's tests: inference requests without a client library."""

import json
from collections.abc import Callable
from typing import Any

import pytest

Infer = Callable[..., Any]


@pytest.fixture(scope="session")
def infer() -> Infer:
    """Post an inference request: ``infer(server, "mnist", document, binary=b"…")``."""

    def post(
        server: Any,
        model: str,
        document: object,
        *,
        binary: bytes | None = None,
        length: object = None,
        headers: dict[str, str] | None = None,
    ) -> Any:
        text = document if isinstance(document, bytes) else json.dumps(document).encode()
        own = {}
        if binary is not None or length is not None:
            own["Inference-Header-Content-Length"] = str(len(text) if length is None else length)
        return server.ask("POST", f"/v2/models/{model}/infer", text + (binary or b""), own | (headers or {}))

    return post
