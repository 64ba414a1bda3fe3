"""The SDK and the commands get the same predictions from a real server as in process."""

import asyncio
import io
import json
import math
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image

from service.client import AsyncClient, Client, RequestRefused
from service.inference.card import card_document
from service.inference.catalog import Catalog
from service.inference.prediction import Prediction

Server = Any
Run = Callable[..., Any]


def _same(left: Prediction, right: Prediction) -> bool:
    others = {score.label: score.score for score in right.scores}
    close = all(math.isclose(score.score, others[score.label], abs_tol=1e-6) for score in left.scores)
    return close and (left.model, left.version, left.unsure) == (right.model, right.version, right.unsure)


@pytest.fixture(scope="session")
def catalog(models_folder: Path) -> Catalog:
    return Catalog(models_folder)


def test_the_client_gets_the_predictions_of_the_process(
    server: Server, catalog: Catalog, samples: Callable[[str], Any]
) -> None:
    with Client(server.url) as client:
        for card in catalog:
            inputs = samples(card.name).inputs[:5]
            served = {
                "precision": "float32",
                "served_metrics": card_document(card.metrics),
                "provider": "CPUExecutionProvider",
            }
            assert client.card(card.name) == replace(card, extra={**card.extra, **served})
            expected = catalog.predictor(card.name).predict(inputs)
            assert all(map(_same, client.predict_many(card.name, inputs), expected)), card.name
            assert _same(client.predict(card.name, inputs[0], version=card.version), expected[0])
        assert [row.name for row in client.models()] == [card.name for card in catalog]


def test_the_asynchronous_client_sends_concurrent_requests(
    server: Server, catalog: Catalog, samples: Callable[[str], Any]
) -> None:
    inputs = samples("mnist").inputs[:16]

    async def ask() -> list[Prediction]:
        async with AsyncClient(server.url) as client:
            return list(await asyncio.gather(*(client.predict("mnist", value) for value in inputs)))

    assert all(map(_same, asyncio.run(ask()), catalog.predictor("mnist").predict(inputs)))


def test_client_sends_a_picture_that_base64_would_make_too_large(server: Server) -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (2160, 2160, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noise).save(stream, "PNG", compress_level=0)
    assert 13e6 < len(stream.getvalue()) < 15e6

    with Client(server.url) as client:
        prediction = client.predict("cifar10", stream.getvalue(), top_k=2)

    assert len(prediction.scores) == 2


def test_the_client_raises_the_servers_error(server: Server, strict: Server) -> None:
    with Client(server.url) as client, pytest.raises(RequestRefused) as raised:
        client.predict("mnist", b"no picture")
    assert (raised.value.status, raised.value.code) == (422, "damaged_image")
    assert len(raised.value.request_id) == 32
    with Client(strict.url, api_key="gamma") as client, pytest.raises(RequestRefused, match="API key"):
        client.models()
    with Client(strict.url, api_key="beta") as client:
        assert client.models()


def test_predict_prints_the_same_from_a_server_as_from_this_computer(
    run: Run, server: Server, tmp_path: Path, digit_png: bytes
) -> None:
    (tmp_path / "digit.png").write_bytes(digit_png)
    for words in (("mnist", str(tmp_path / "digit.png")), ("imdb", "a dull film, but not without charm")):
        remote, local = run("predict", *words, "--url", server.url), run("predict", *words)
        assert (remote.status, remote.out) == (0, local.out)


def test_predict_names_the_input_with_an_error_and_goes_on(
    run: Run, server: Server, tmp_path: Path, digit_png: bytes
) -> None:
    good, bad = tmp_path / "digit.png", tmp_path / "bad.png"
    good.write_bytes(digit_png)
    bad.write_bytes(digit_png[:50])
    result = run("predict", "mnist", str(bad), str(good), "--json", "--url", server.url)
    assert (result.status, json.loads(result.out)["input"]) == (1, str(good))
    assert result.err.startswith(f"{bad}: the picture is incomplete")


def test_predict_sends_the_key_of_the_option_or_the_environment(
    run: Run, strict: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("predict", "imdb", "wonderful", "--json", "--url", strict.url)
    failed = run(*words)
    assert (failed.status, failed.out) == (2, "")
    assert "API key" in failed.err
    assert run(*words, "--api-key", "alpha").status == 0
    monkeypatch.setenv("LECTERN_API_KEY", "beta")
    assert run(*words).status == 0


def test_under_overload_every_request_gets_200_or_429(strict: Server, digit_png: bytes) -> None:
    key = {"Authorization": "Bearer alpha"}
    with ThreadPoolExecutor(16) as threads:
        asked = [threads.submit(strict.ask, "POST", "/models/mnist", digit_png, key) for _ in range(200)]
        answers = [each.result() for each in asked]
    statuses = Counter(answer.status for answer in answers)
    assert set(statuses) <= {200, 429}
    assert statuses[200] > 0
    assert all(answer.headers["Retry-After"] for answer in answers if answer.status == 429)
    assert strict.ask("POST", "/models/mnist", digit_png, key).status == 200
