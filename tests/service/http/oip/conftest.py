"""Owns what the tests of the Open Inference Protocol share: requests built by hand, and a catalogue."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from service.inference.catalog import Catalog

Infer = Callable[..., Any]


@pytest.fixture(scope="session")
def catalog(models_folder: Any) -> Catalog:
    return Catalog(models_folder)


@pytest.fixture(scope="session")
def infer() -> Infer:
    """Post an inference request: ``infer(server, "mnist", document, binary=b"…")``, binary data behind it."""

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


@pytest.fixture(scope="session")
def expected(catalog: Catalog) -> Callable[..., npt.NDArray[np.float32]]:
    """Return what the network says in process: to files and texts, or to a batch of its own."""

    def probabilities(model: str, *inputs: Any, batch: Any = None) -> npt.NDArray[np.float32]:
        predictor = catalog.predictor(model)
        if batch is None:
            batch = predictor.stack([predictor.prepare(value) for value in inputs])
        return predictor.probabilities(batch)

    return probabilities
