"""Probes answer in plain text, and readiness in JSON."""

from typing import Any

Server = Any


def test_probes_answer_in_plain_text(server: Server) -> None:
    for path in ("/livez", "/healthz"):
        answer = server.ask("GET", path)
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/plain")


def test_readiness_lists_what_is_not_available(server: Server) -> None:
    answer = server.ask("GET", "/readyz")
    assert (answer.status, answer.json()) == (200, {"ready": True, "unavailable": []})
