"""Contributions of words over HTTP and the SDK equal those in process."""

import asyncio
from dataclasses import asdict
from typing import Any

import pytest

from service.client import AsyncClient, Client, RequestRefused
from service.inference.catalog import Catalog
from service.inference.prediction import WordContributions
from service.inference.word_contributions import word_contributions

TEXT = "Not good 😀, but <i>wonderful</i> acting."


@pytest.fixture(scope="module")
def expected(catalog: Catalog) -> WordContributions:
    return word_contributions(catalog.predictor("imdb"), TEXT, label="positive")


def test_every_kind_of_body_gives_the_contributions(server: Any, expected: WordContributions) -> None:
    path = "/models/imdb/words?label=positive"
    plain = server.ask("POST", path, TEXT.encode(), {"Content-Type": "text/plain"})
    assert plain.headers["X-Model-Version"] == str(expected.version)
    document = plain.json()
    assert document["log_odds"] == pytest.approx(expected.log_odds, abs=1e-5)
    assert [word["word"] for word in document["words"]] == [word.word for word in expected.words]
    wonderful = next(word for word in document["words"] if word["word"] == "wonderful")
    assert [TEXT[start:end] for start, end in wonderful["spans"]] == ["wonderful"]
    assert server.post_json(path, {"inputs": TEXT}).body == plain.body


def test_the_clients_return_the_contributions(server: Any, expected: WordContributions) -> None:
    with Client(server.url) as client:
        found = client.word_contributions("imdb", TEXT, label="positive")
        best = client.word_contributions("imdb", TEXT, version=1)
        with pytest.raises(RequestRefused) as refused:
            client.word_contributions("imdb", "xyzzyx")
    assert found.words[0].word == expected.words[0].word
    assert [asdict(word) for word in found.words] == [
        asdict(word) | {"contribution": pytest.approx(word.contribution, abs=1e-4)} for word in expected.words
    ]
    assert (best.version, best.label) == (1, client_label(server))
    assert refused.value.code == "no_words"

    async def ask() -> WordContributions:
        async with AsyncClient(server.url) as asynchronous:
            return await asynchronous.word_contributions("imdb", TEXT, label="positive")

    assert asyncio.run(ask()) == found


def client_label(server: Any) -> str:
    with Client(server.url) as client:
        return client.predict("imdb", TEXT, version=1).best.label


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/models/imdb/words?label=great", {"inputs": TEXT}, 400, "invalid_input"),
        ("/models/mnist/words", {"inputs": TEXT}, 400, "invalid_input"),
        ("/models/imdb/words", {"inputs": [TEXT, TEXT]}, 413, "batch_too_large"),
        ("/models/imdb/words", {"inputs": [[1, 2, 3]]}, 400, "invalid_input"),
        ("/models/imdb/words", {"inputs": "xyzzyx"}, 422, "no_words"),
        ("/models/imdb/words", {"inputs": "good " * 300_000}, 413, "too_large"),
        ("/models/nothing/words", {"inputs": TEXT}, 404, "model_not_found"),
        ("/models/imdb/versions/99/words", {"inputs": TEXT}, 404, "model_not_found"),
    ],
)
def test_a_request_without_contributions_is_an_error(
    server: Any, path: str, body: dict[str, Any], status: int, code: str
) -> None:
    answer = server.post_json(path, body)
    assert (answer.status, answer.json()["code"]) == (status, code)
