"""Hugging Face's client reads the server's responses."""

from typing import Any

import pytest
from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError

from service.inference.catalog import Catalog

Server = Any


@pytest.fixture
def best_digit(models_folder: Any, digit_png: bytes) -> str:
    return Catalog(models_folder).predictor("mnist").predict([digit_png])[0].best.label


def test_the_client_classifies_a_picture(server: Server, digit_png: bytes, best_digit: str) -> None:
    client = InferenceClient(model=f"{server.url}/models/mnist", token="x")
    everything = client.image_classification(digit_png)
    assert (len(everything), everything[0].label) == (10, best_digit)
    two = client.image_classification(digit_png, top_k=2)
    assert [(row.label, row.score) for row in two] == [(row.label, row.score) for row in everything[:2]]


def test_the_client_classifies_a_text(server: Server) -> None:
    client = InferenceClient(model=f"{server.url}/models/imdb", token="x")
    rows = client.text_classification("A wonderful, moving film: superb and excellent.")
    assert rows[0].label == "positive"
    assert sum(row.score for row in rows) == pytest.approx(1, abs=1e-5)


def test_the_client_sends_its_token_as_the_api_key(strict: Server, digit_png: bytes) -> None:
    url = f"{strict.url}/models/mnist"
    assert len(InferenceClient(model=url, token="alpha").image_classification(digit_png)) == 10
    with pytest.raises(HfHubHTTPError, match="401"):
        InferenceClient(model=url, token="gamma").image_classification(digit_png)
