"""Probes answer in plain text."""

from typing import Any

Server = Any


def test_probes_answer_in_plain_text(server: Server) -> None:
    for path in ("/livez", "/healthz", "/readyz"):
        answer = server.ask("GET", path)
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/plain")
