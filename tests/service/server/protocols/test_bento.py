"""Other people's clients: what they send is understood, and they understand what they get."""

import base64
import json
import subprocess
import sys
from typing import Any

import pytest
from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError

from service.inference.catalog import Catalog

Server = Any


@pytest.fixture
def best_digit(models_folder: Any, digit_png: bytes) -> str:
    return Catalog(models_folder).predictor("mnist").predict([digit_png])[0].best.label


def test_hugging_faces_client_classifies_a_picture(server: Server, digit_png: bytes, best_digit: str) -> None:
    client = InferenceClient(model=f"{server.url}/models/mnist", token="x")
    everything = client.image_classification(digit_png)
    assert (len(everything), everything[0].label) == (10, best_digit)
    two = client.image_classification(digit_png, top_k=2)
    assert [(row.label, row.score) for row in two] == [(row.label, row.score) for row in everything[:2]]


def test_hugging_faces_client_classifies_a_text(server: Server) -> None:
    client = InferenceClient(model=f"{server.url}/models/imdb", token="x")
    rows = client.text_classification("A wonderful, moving film: superb and excellent.")
    assert rows[0].label == "positive"
    assert sum(row.score for row in rows) == pytest.approx(1, abs=1e-5)


def test_hugging_faces_client_sends_its_token_as_our_key(strict: Server, digit_png: bytes) -> None:
    url = f"{strict.url}/models/mnist"
    assert len(InferenceClient(model=url, token="alpha").image_classification(digit_png)) == 10
    with pytest.raises(HfHubHTTPError, match="401"):
        InferenceClient(model=url, token="gamma").image_classification(digit_png)


# In a process of its own, for its import warns of much that is on its way out.
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


def test_bentos_client_calls_its_methods_and_raises_what_we_refuse(
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
    whole, two, text, refused = json.loads(run.stdout)
    assert (whole["model"], whole["scores"][0]["label"], len(whole["scores"])) == ("mnist", best_digit, 10)
    assert isinstance(whole["unsure"], bool)
    assert (two["version"], two["scores"]) == (whole["version"], whole["scores"][:2])
    assert [row["label"] for row in text["scores"]] == ["negative"]
    assert "no model 'minst'" in refused["raised"]
