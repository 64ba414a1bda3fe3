"""BentoML's client calls the typed methods."""

import asyncio
import base64
import importlib
import json
import subprocess
import sys
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from service.inference.catalog import Catalog
from service.inference.errors import DamagedImage
from service.server.execution.engine import Engine
from service.settings import Settings

Server = Any


@pytest.fixture
def best_digit(models_folder: Any, digit_png: bytes) -> str:
    return Catalog(models_folder).predictor("mnist").predict([digit_png])[0].best.label


# BentoML warns of deprecations when it is imported, so it runs in another process.
_BENTO_CALLS = """
import json, sys, bentoml
results = []
with bentoml.SyncHTTPClient(sys.argv[1]) as client:
    for method, arguments in json.loads(sys.stdin.read()):
        try:
            results.append(getattr(client, method)(**arguments))
        except bentoml.exceptions.BentoMLException as error:
            results.append({"raised": str(error)})
print(json.dumps(results))
"""


def test_the_client_calls_the_methods_and_raises_their_errors(
    server: Server, digit_png: bytes, best_digit: str
) -> None:
    picture = {"model": "mnist", "image": base64.b64encode(digit_png).decode()}
    calls = [
        ("classify_image", picture),
        ("classify_image", picture | {"top_k": 2, "version": Catalog().card("mnist").version}),
        ("classify_text", {"model": "imdb", "text": "dull, awful, a waste of time", "top_k": 1}),
        ("classify_text", {"model": "minst", "text": "good"}),
    ]
    run = subprocess.run(
        [sys.executable, "-c", _BENTO_CALLS, server.url],
        input=json.dumps(calls),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    complete, two, text, failed = json.loads(run.stdout)
    assert (complete["model"], complete["scores"][0]["label"], len(complete["scores"])) == (
        "mnist",
        best_digit,
        10,
    )
    assert isinstance(complete["unsure"], bool)
    assert (two["version"], two["scores"]) == (complete["version"], complete["scores"][:2])
    assert [row["label"] for row in text["scores"]] == ["negative"]
    assert "no model 'minst'" in failed["raised"]


@pytest.mark.parametrize("path", ["/classify_text", "/classify_image"])
def test_a_body_with_too_many_lists_is_refused_before_it_is_parsed(server: Server, path: str) -> None:
    body = b'{"model": "imdb", "text": "", "more": [%b[]]}' % (b"[]," * 10_000)
    answer = server.ask("POST", path, body, {"Content-Type": "application/json"})
    assert (answer.status, answer.json()["code"]) == (413, "too_large")
    assert "too many lists and objects" in answer.json()["error"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # BentoML's, when it is imported
@pytest.mark.parametrize(("size", "inline"), [(1_000, True), (60_000, False)])
def test_large_bodies_are_parsed_and_decoded_in_threads(
    models_folder: Any, monkeypatch: pytest.MonkeyPatch, size: int, inline: bool
) -> None:
    bento = importlib.import_module("service.server.protocols.bento")
    threads = []

    def noting(work: Any) -> Any:
        def note(*arguments: Any, **options: Any) -> Any:
            threads.append(threading.current_thread())
            return work(*arguments, **options)

        return note

    for name in ("_parse", "decode_base64"):
        monkeypatch.setattr(bento, name, noting(getattr(bento, name)))
    document = {"model": "mnist", "image": "A" * size}

    async def body() -> bytes:
        return json.dumps(document).encode()

    request: Any = SimpleNamespace(headers={"content-type": "application/json"}, body=body)
    engine = Engine(Settings(models=models_folder))
    engine.start()
    try:
        with pytest.raises(DamagedImage):  # It is no picture.
            asyncio.run(bento.BentoProtocol(engine, dict).classify_image(request))
    finally:
        engine.close()
    assert [thread is threading.main_thread() for thread in threads] == [inline, inline]
