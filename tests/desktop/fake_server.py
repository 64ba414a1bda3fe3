"""Provides a fake server that can be slow, return errors or garbage, and be killed and restarted."""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from service.inference import Catalog
from service.inference.card import card_document
from service.inference.errors import InputError


class FakeServer:
    """Serves the Hugging Face protocol on its own port; ``behaviour`` selects how."""

    def __init__(self, models: Path) -> None:
        self.catalog = Catalog(models)
        self.behaviour = "normal"
        self.requests: list[tuple[str, str]] = []
        self.keys: list[str] = []
        self.release = threading.Event()
        self.requested = threading.Event()
        self._port = 0
        self._http: ThreadingHTTPServer | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        fake_server = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *arguments: object) -> None:
                pass

            def do_GET(self) -> None:
                fake_server.respond(self, "")

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                raw = self.headers["Content-Type"] == "application/octet-stream"
                fake_server.respond(self, [body] if raw else json.loads(body)["inputs"])

        self._http = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._http.daemon_threads = True
        self._port = self._http.server_address[1]
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    def kill(self) -> None:
        self.release.set()
        if self._http is not None:
            self._http.shutdown()
            self._http.server_close()
            self._http = None

    def respond(self, handler: BaseHTTPRequestHandler, inputs: list[str] | list[bytes] | str) -> None:
        self.requests.append((handler.command, urlsplit(handler.path).path))
        if inputs:
            self.requested.set()
        self.keys.append(handler.headers.get("Authorization", ""))
        match self.behaviour:
            case "garbage":
                return _send(handler, 200, b"<html>hello</html>", {})
            case "not a number" if inputs:
                rows = [[{"label": "7", "score": float("nan")}]]
                return _send(handler, 200, rows, {"X-Model-Version": "1", "X-Lectern-Unsure": "false"})
            case "locked":
                return _send(handler, 401, {"error": "no key", "code": "unauthorized"}, {})
            case "broken" if inputs:
                return _send(handler, 500, {"error": "oh", "code": "internal"}, {})
            case "slow" if inputs:
                self.release.wait(20)
        return self._respond_normally(handler, inputs)

    def _respond_normally(
        self, handler: BaseHTTPRequestHandler, inputs: list[str] | list[bytes] | str
    ) -> None:
        parts = urlsplit(handler.path).path.strip("/").split("/")
        if handler.command == "GET" and len(parts) == 1:
            return _send(handler, 200, {"models": [self._row(card.name) for card in self.catalog]}, {})
        if handler.command == "GET":
            version = int(parts[3]) if len(parts) > 3 else None
            return _send(handler, 200, card_document(self.catalog.card(parts[1], version)), {})
        predictor = self.catalog.predictor(parts[1], int(parts[3]) if len(parts) > 3 else None)
        values = [
            one if predictor.takes_text or isinstance(one, bytes) else base64.b64decode(one) for one in inputs
        ]
        try:
            predictions = predictor.predict(values)
        except InputError as error:
            return _send(handler, 422, {"error": str(error), "code": error.code}, {})
        rows = [[{"label": score.label, "score": score.score} for score in one.scores] for one in predictions]
        headers = {
            "X-Model-Version": str(predictor.card.version),
            "X-Lectern-Unsure": ",".join(str(one.unsure).lower() for one in predictions),
        }
        return _send(handler, 200, rows, headers)

    def _row(self, name: str) -> dict[str, object]:
        card = self.catalog.card(name)
        return {
            "name": name,
            "version": card.version,
            "versions": self.catalog.versions(name),
            "title": card.title,
            "task": card.task,
            "labels": card.labels,
        }


def _send(handler: BaseHTTPRequestHandler, status: int, body: object, headers: dict[str, str]) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        handler.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)
    except ConnectionError:
        pass  # The client has disconnected.
