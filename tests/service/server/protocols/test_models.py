"""The list of the models and their cards are those of the catalogue."""

from typing import Any

from service.inference.card import parse_card
from service.inference.catalog import Catalog

Server = Any


def test_the_list_has_every_model_with_its_versions(server: Server, catalog: Catalog) -> None:
    rows = server.ask("GET", "/models").json()["models"]
    assert [(row["name"], row["version"], row["versions"]) for row in rows] == [
        (card.name, card.version, list(catalog.versions(card.name))) for card in catalog
    ]
    assert rows[-1]["name"] == "mnist"
    assert rows[-1]["labels"] == list("0123456789")
    assert rows[-1]["task"] == "image-classification"
    assert rows[-1]["accuracy"] > 0.98


def test_a_model_is_its_card_to_the_last_field(server: Server, catalog: Catalog) -> None:
    for card in catalog:
        answer = server.ask("GET", f"/models/{card.name}")
        document = answer.json()
        assert document.pop("precision") in ("float32", "int8")
        assert document.pop("served_metrics")["count"] == card.metrics.count
        assert document.pop("provider") == "CPUExecutionProvider"
        assert parse_card(document, source="the answer") == card
        assert answer.headers["X-Model-Version"] == str(card.version)
        assert server.ask("GET", f"/models/{card.name}/versions/{card.version}").json() == answer.json()


def test_head_has_the_headers_of_get_and_no_body(server: Server) -> None:
    for path in ("/models", "/models/mnist", "/livez", "/readyz"):
        got, head = server.ask("GET", path), server.ask("HEAD", path)
        assert (head.status, head.body) == (200, b"")
        assert head.headers["Content-Length"] == str(len(got.body))
