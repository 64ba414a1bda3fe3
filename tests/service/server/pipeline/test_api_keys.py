"""API keys: where clients send them, their names, their file, their rate, and the key of the metrics."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest

from service.client import Client
from service.server.pipeline import api_keys
from service.server.pipeline.api_keys import ApiKeys, RateLimit, presented_key
from service.server.pipeline.errors import RequestError
from service.settings import Settings

Server = Any
Until = Callable[..., Any]


@dataclass(frozen=True)
class KeyedServer:
    """A server, and its file of keys."""

    server: Server
    path: Path

    def status(self, key: str, *, path: str = "/models") -> int:
        """Return the status of a request with a key."""
        status: int = self.server.ask("GET", path, headers={"Authorization": f"Bearer {key}"}).status
        return status

    def key_name(self, request_id: str) -> str | None:
        """Return the name of the key in the access log's line of a request; None if there is none yet."""
        lines = [json.loads(line) for line in self.server.log().splitlines() if f'"{request_id}"' in line]
        return lines[0]["key"] if lines else None


@pytest.fixture(scope="module")
def keyed(
    start_server: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[KeyedServer]:
    """A server with a file of keys, a key for the metrics, and a rate limit."""
    path = tmp_path_factory.mktemp("keys") / "keys"
    path.write_text("alice: a1\nbob: b2\n")
    with start_server(
        grpc=True,
        API_KEYS="fixed",
        API_KEYS_FILE=str(path),
        METRICS_KEY="scraper",
        RATE_LIMIT="0.01",
        RATE_BURST="50",
        LOG_FORMAT="json",
        MAX_BATCHES="4",  # no setting has this name
    ) as running:
        yield KeyedServer(running, path)


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ({"Authorization": "Bearer a1"}, "alice"),
        ({"X-API-Key": "b2"}, "bob"),
        ({"Authorization": "Basic YTpi", "X-API-Key": " b2 "}, "bob"),
        ({"Authorization": "Bearer fixed", "X-API-Key": "wrong"}, "key-1"),
        ({"Authorization": "Bearer wrong"}, ""),
        ({"X-API-Key": "alice"}, ""),
    ],
)
def test_the_access_log_shows_the_name_of_a_key(
    keyed: KeyedServer, until: Until, headers: dict[str, str], name: str
) -> None:
    answer = keyed.server.ask("GET", "/models", headers=headers)
    assert answer.status == (200 if name else 401)
    assert until(lambda: keyed.key_name(answer.headers["X-Request-ID"]) in (name,))


def test_no_key_is_in_the_log(keyed: KeyedServer) -> None:
    keyed.server.ask("GET", "/models", headers={"Authorization": "Bearer an-unusual-key"})
    log = keyed.server.log()
    assert "fixed" not in log
    assert "scraper" not in log
    assert "unusual" not in log


def test_the_metrics_have_a_key_of_their_own(keyed: KeyedServer) -> None:
    assert keyed.status("scraper", path="/metrics") == 200
    assert keyed.status("a1", path="/metrics") == 401
    assert keyed.status("scraper") == 401
    answer = keyed.server.ask("GET", "/metrics")
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert "LECTERN_METRICS_KEY" in answer.json()["error"]


def test_the_document_describes_the_keys(keyed: KeyedServer) -> None:
    document = keyed.server.ask("GET", "/docs.json").json()
    assert set(document["components"]["securitySchemes"]) == {"key", "header", "metrics"}
    metrics, models = (document["paths"][path]["get"] for path in ("/metrics", "/models"))
    assert metrics["security"] == [{"metrics": []}]
    assert "401" in metrics["responses"]
    assert {"401", "429"} <= set(models["responses"])


def test_a_changed_file_is_read_again_and_a_mistake_changes_nothing(keyed: KeyedServer, until: Until) -> None:
    assert keyed.status("a1") == 200
    assert keyed.status("c3") == 401
    try:
        # As an editor or Kubernetes replaces a file.
        new = keyed.path.with_suffix(".new")
        new.write_text("carol: c3\n")
        new.rename(keyed.path)
        until(lambda: keyed.status("c3") == 200)
        assert keyed.status("a1") == 401
        assert keyed.status("fixed") == 200
        keyed.path.write_text("no key")
        until(lambda: keyed.status("none") == 401 and "stay valid" in keyed.server.log())
        assert keyed.status("c3") == 200
    finally:
        keyed.path.write_text("alice: a1\nbob: b2\n")
    until(lambda: keyed.status("a1") == 200)


def test_every_worker_reads_a_changed_file_without_requests(
    start_server: Callable[..., Any],
    tiny_model: Callable[..., Path],
    tmp_path: Path,
    until: Until,
) -> None:
    """Otherwise an idle worker would keep a revoked key if the file has a mistake at its next request."""
    path = tmp_path / "keys"
    path.write_text("alice: a1\n")
    tiny_model(tmp_path / "models")
    with start_server(MODELS=str(tmp_path / "models"), API_KEYS_FILE=str(path), WORKERS="2") as server:
        until(lambda: "all 2 workers are ready" in server.log())
        path.write_text("carol: c3\n")
        until(lambda: server.log().count("1 API keys are valid now") == 2)
        path.unlink()
        os.mkfifo(path)
        until(lambda: server.log().count("not a regular file); it holds the API keys; the API keys") == 2)
        keyed = KeyedServer(server, path)
        # Each request has a connection of its own; the workers share them.
        assert {keyed.status("a1") for _ in range(10)} == {401}
        assert {keyed.status("c3") for _ in range(10)} == {200}


def test_a_key_that_has_used_up_its_rate_gets_429(keyed: KeyedServer) -> None:
    """Fifty requests at once, and then one in a hundred seconds."""
    statuses = [keyed.status("b2") for _ in range(60)]
    assert (set(statuses[:40]), set(statuses[50:])) == ({200}, {429})  # other tests used the key as well
    answer = keyed.server.ask("GET", "/models", headers={"X-API-Key": "b2"})
    assert answer.json()["code"] == "rate_limited"
    assert "bob" in answer.json()["error"]
    assert 1 <= int(answer.headers["Retry-After"]) <= 100
    with grpc.insecure_channel(keyed.server.grpc_address) as channel:
        method = channel.unary_unary("/inference.GRPCInferenceService/ServerMetadata")
        with pytest.raises(grpc.RpcError) as raised:
            method(b"", metadata=(("authorization", "Bearer b2"),))
    assert raised.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert dict(raised.value.trailing_metadata())["x-error-code"] == "rate_limited"
    # Probes need no key, and other keys have a rate of their own.
    assert keyed.server.ask("GET", "/readyz").status == 200
    assert keyed.status("fixed") == 200


def test_the_log_names_an_unknown_variable_once(keyed: KeyedServer) -> None:
    rows = [json.loads(line) for line in keyed.server.log().splitlines()]
    (message,) = [row["message"] for row in rows if row["level"] == "WARNING"]
    assert "LECTERN_MAX_BATCHES (did you mean LECTERN_MAX_BATCH?)" in message


def test_the_python_client_sends_its_key(keyed: KeyedServer) -> None:
    with Client(keyed.server.url, api_key="fixed") as client:
        assert client.models()


# --- the parts alone


@pytest.mark.parametrize(
    ("authorization", "api_key", "key"),
    [
        ("Bearer one", "", "one"),
        ("bearer  one ", "two", "one"),
        ("", "two", "two"),
        ("Basic dTpw", "two", "two"),
        ("one", "", ""),
        ("Bearer", "two", ""),
        ("", "", ""),
    ],
)
def test_a_bearer_token_counts_more_than_the_header(authorization: str, api_key: str, key: str) -> None:
    assert presented_key(authorization, api_key) == key


def test_a_key_is_needed_only_if_there_are_keys() -> None:
    assert ApiKeys(Settings()).name("") == ""
    keys = ApiKeys(Settings(api_keys=("alpha", "beta")))
    assert keys.name("beta") == "key-2"
    with pytest.raises(RequestError, match="an API key is needed"):
        keys.name("")
    with pytest.raises(RequestError, match="this API key is not valid"):
        keys.name("gamma")


@pytest.mark.parametrize(
    ("settings", "allowed", "refused"),
    [
        (Settings(), ("", "any"), ()),
        (Settings(api_keys=("alpha",)), ("alpha",), ("", "any")),
        (Settings(api_keys=("alpha",), metrics_key="open"), ("", "any"), ()),
        (Settings(metrics_key="own"), ("own",), ("", "any")),
        (Settings(api_keys=("alpha",), metrics_key="own"), ("own",), ("", "alpha")),
    ],
)
def test_who_may_read_the_metrics(
    settings: Settings, allowed: tuple[str, ...], refused: tuple[str, ...]
) -> None:
    keys = ApiKeys(settings)
    for key in allowed:
        keys.check_metrics(key)
    for key in refused:
        with pytest.raises(RequestError, match="key"):
            keys.check_metrics(key)


def test_a_bucket_fills_at_its_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(api_keys.time, "monotonic", lambda: now)
    limit = RateLimit(per_second=4, burst=3)

    def take(name: str, *, allowed: int) -> None:
        for _ in range(allowed):
            limit.take(name)
        with pytest.raises(RequestError, match="4 requests a second; try again in") as raised:
            limit.take(name)
        assert (raised.value.status, raised.value.headers["Retry-After"]) == (429, "1")

    take("alice", allowed=3)
    take("bob", allowed=3)
    take("alice", allowed=0)
    now += 0.25
    take("alice", allowed=1)
    now += 60
    take("alice", allowed=3)


def test_no_rate_means_no_limit() -> None:
    limit = RateLimit(per_second=0, burst=1)
    for _ in range(100):
        limit.take("alice")
