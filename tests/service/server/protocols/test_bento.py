"""BentoML's client calls the typed methods."""

import base64
import json
import subprocess
import sys
from typing import Any

import pytest

from service.inference.catalog import Catalog

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
