"""The API page loads only from its server, is cached, and is read off the event loop."""

import asyncio
import base64
import hashlib
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bentoml
import pytest
from starlette.requests import Request

from service.server.playground.api_page import FILES, ApiPage

Server = Any


def test_the_page_loads_only_from_its_server_and_shows_the_document(server: Server) -> None:
    page = server.ask("GET", "/docs")
    text = page.body.decode()
    assert "//" not in text.replace("<!DOCTYPE", "")
    for path in re.findall(r'(?:src|href)="\./([^"]+)"', text):
        answer = server.ask("GET", f"/{path}")
        assert (answer.status, len(answer.body) > 10_000) == (200, True)
    assert "./docs.json" in text
    policy = page.headers["Content-Security-Policy"]
    for kind in ("script", "style"):
        (inline,) = re.findall(rf"<{kind}>(.*?)</{kind}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
        assert f"{kind}-src 'self' 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


def test_a_slash_at_the_end_is_removed(server: Server) -> None:
    answer = server.ask("GET", "/docs/")
    assert (answer.status, answer.headers["Location"]) == (308, "../docs")


@pytest.mark.parametrize("path", ["/docs", "/docs.json", "/openapi.json", "/static_content/swagger-ui.css"])
def test_an_unchanged_body_is_answered_with_304(server: Server, path: str) -> None:
    first, head = server.ask("GET", path), server.ask("HEAD", path)
    assert (head.status, head.body, head.headers["ETag"]) == (200, b"", first.headers["ETag"])
    again = server.ask("GET", path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")
    assert server.ask("GET", path, headers={"If-None-Match": '"another"'}).status == 200


def test_both_addresses_have_the_same_document(server: Server) -> None:
    assert server.ask("GET", "/docs.json").body == server.ask("GET", "/openapi.json").body


@pytest.fixture
def opened_files() -> Iterator[list[tuple[str, int]]]:
    """Record the path of each file that is opened, and the thread that opens it."""
    opened: list[tuple[str, int]] = []
    recording = True

    def record(event: str, arguments: Any) -> None:
        if recording and event == "open":
            opened.append((str(arguments[0]), threading.get_ident()))

    sys.addaudithook(record)  # Python has no way to remove it
    yield opened
    recording = False


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_not_read_on_the_event_loop(name: str, opened_files: list[tuple[str, int]]) -> None:
    scope = {"type": "http", "method": "GET", "headers": [], "path": f"/static_content/{name}"}
    sent = []

    async def serve() -> int:
        response = await ApiPage().file(Request(scope))
        await response(scope, _no_message, send)
        return threading.get_ident()

    async def send(message: Any) -> None:
        sent.append(message)

    loop_thread = asyncio.run(serve())
    body = b"".join(message.get("body", b"") for message in sent)
    assert len(body) == int(dict(sent[0]["headers"])[b"content-length"]) > 10_000
    threads = {thread for path, thread in opened_files if path.endswith(name)}
    assert threads
    assert loop_thread not in threads


def test_without_swagger_ui_the_page_links_to_the_document(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setattr(bentoml, "__file__", str(tmp_path / "__init__.py"))
    page = ApiPage()
    assert [route.path for route in page.routes()] == ["/docs", "/docs.json", "/openapi.json"]
    assert "has no copy of Swagger UI" in caplog.text
    response = asyncio.run(page.page(Request({"type": "http", "headers": [], "path": "/docs"})))
    assert b'href="./docs.json"' in bytes(response.body)


async def _no_message() -> Any:
    """Receive nothing: the client stays connected."""
    await asyncio.Event().wait()
