"""A server loads models from a web server, at its start and at run time."""

import functools
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from service.inference.card import read_card, write_card

Server = Any
StartServer = Callable[..., Any]
TinyModel = Callable[..., Path]


class _Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None: ...


@pytest.fixture
def web(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address and the folder of a web server."""
    folder = tmp_path / "www"
    folder.mkdir()
    handler = functools.partial(_Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", folder
        server.shutdown()
        thread.join()


def _publish(folder: Path, tiny_model: TinyModel, version: int) -> Path:
    place = tiny_model(folder, version=version)
    card = read_card(place / "card.json")
    write_card(msgspec.structs.replace(card, explanation=None), place / "card.json")
    rows = [{"name": path.parts[-3], "version": int(path.parts[-2])} for path in folder.glob("*/*/card.json")]
    (folder / "index.json").write_text(json.dumps(rows), encoding="utf-8")
    return place


def test_models_come_from_a_web_server_at_the_start_and_at_run_time(
    web: tuple[str, Path], tmp_path: Path, tiny_model: TinyModel, start_server: StartServer, digit_png: bytes
) -> None:
    url, folder = web
    _publish(folder, tiny_model, 1)

    def version() -> str:
        answer = server.ask("POST", "/models/mnist", digit_png)
        assert answer.status == 200
        return str(answer.headers["X-Model-Version"])

    with start_server(MODELS=url, MODEL_CACHE=str(tmp_path / "cache"), MODEL_CONTROL="1") as server:
        assert version() == "1"
        place = _publish(folder, tiny_model, 2)
        content = (place / "model.onnx").read_bytes()
        (place / "model.onnx").write_bytes(b"cut")
        refused = server.ask("POST", "/v2/repository/models/mnist/load")
        assert (refused.status, refused.json()["code"]) == (503, "checksum_mismatch")
        assert version() == "1"
        (place / "model.onnx").write_bytes(content)
        assert server.ask("POST", "/v2/repository/models/mnist/load").status == 200
        assert version() == "2"
