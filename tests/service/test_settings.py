"""Settings: each variable has a default and a check, and a value that cannot be used is named."""

import dataclasses
import socket
from pathlib import Path
from typing import Any

import pytest

from service.inference.errors import SettingsError
from service.settings import Settings, table, variable


def test_nothing_set_gives_the_defaults(models_folder: Path) -> None:
    assert Settings.from_environment({}) == Settings(
        models=models_folder,
        host="127.0.0.1",
        port=3000,
        grpc_port=0,
        workers=1,
        providers=("auto",),
        precision="auto",
        threads=1,
        max_body_mb=16,
        max_pixels=40_000_000,
        max_batch=64,
        max_queue=64,
        timeout_s=30.0,
        api_keys=(),
        cors_origins=(),
        trusted_proxies=(),
        log_format="text",
    )


def test_a_variable_that_is_set_to_nothing_is_not_set() -> None:
    empty = {variable(field.name): "" for field in dataclasses.fields(Settings)}
    assert Settings.from_environment(empty) == Settings()


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("models", "/srv/models", Path("/srv/models")),
        ("models", "~/models", Path.home() / "models"),
        ("host", "0.0.0.0", "0.0.0.0"),
        ("host", "localhost", "127.0.0.1"),
        ("host", "::1", "::1"),
        ("port", "8080", 8080),
        ("workers", "2", 2),
        ("providers", "AUTO", ("auto",)),
        ("providers", "cuda, cpu", ("cuda", "cpu")),
        ("precision", "INT8", "int8"),
        ("precision", "float32", "float32"),
        ("threads", "4", 4),
        ("max_body_mb", "1", 1),
        ("max_pixels", "784", 784),
        ("max_batch", "1", 1),
        ("max_queue", "100000", 100_000),
        ("timeout_s", "0.25", 0.25),
        ("api_keys", "one, two,", ("one", "two")),
        ("trusted_proxies", "127.0.0.1, 10.0.0.7/8, ::1", ("127.0.0.1/32", "10.0.0.0/8", "::1/128")),
        (
            "cors_origins",
            "https://a.example,http://localhost:8000",
            ("https://a.example", "http://localhost:8000"),
        ),
        ("cors_origins", "*", ("*",)),
        ("log_format", "json", "json"),
    ],
)
def test_each_variable_is_read(name: str, text: str, value: Any) -> None:
    settings = Settings.from_environment({variable(name): text})
    assert settings == dataclasses.replace(Settings(), **{name: value})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("models", "~nobody-of-that-name/models"),
        ("host", "example.org"),
        ("host", "300.0.0.1"),
        ("port", "0"),
        ("port", "65536"),
        ("port", "http"),
        ("port", "9" * 5000),
        ("grpc_port", "-1"),
        ("grpc_port", "65536"),
        ("workers", "0"),
        ("workers", "1.5"),
        ("providers", "gpu"),
        ("precision", "float16"),
        ("precision", "int8,float32"),
        ("providers", "auto,cpu"),
        ("providers", ","),
        ("threads", "-1"),
        ("max_body_mb", "0"),
        ("max_pixels", "783"),
        ("max_batch", "0"),
        ("max_queue", "0"),
        ("timeout_s", "0"),
        ("timeout_s", "nan"),
        ("timeout_s", "inf"),
        ("cors_origins", "example.org"),
        ("cors_origins", "https://example.org/page"),
        ("log_format", "xml"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_what_is_expected(name: str, text: str) -> None:
    with pytest.raises(SettingsError) as raised:
        Settings.from_environment({variable(name): text})
    assert str(raised.value).startswith(f"{variable(name)} is {text!r}, expected ")


@pytest.mark.parametrize("text", [",", " ", "secret key", "ключ", "secret\x07"])
def test_keys_that_no_caller_could_send_are_refused_and_not_shown(text: str) -> None:
    with pytest.raises(SettingsError, match="LECTERN_API_KEYS cannot be used, expected") as raised:
        Settings.from_environment({"LECTERN_API_KEYS": text})
    assert "secret" not in str(raised.value)


def test_two_protocols_cannot_have_one_port() -> None:
    assert Settings.from_environment({"LECTERN_GRPC_PORT": "3001"}).grpc_port == 3001
    with pytest.raises(SettingsError, match="LECTERN_GRPC_PORT and LECTERN_PORT are both 3000; choose"):
        Settings.from_environment({"LECTERN_GRPC_PORT": "3000"})


def test_where_ports_cannot_be_shared_grpc_takes_one_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "SO_REUSEPORT", raising=False)
    assert Settings.from_environment({"LECTERN_GRPC_PORT": "3001"}).workers == 1
    with pytest.raises(SettingsError, match=r"LECTERN_GRPC_PORT needs one worker .* which is 2, to 1"):
        Settings.from_environment({"LECTERN_GRPC_PORT": "3001", "LECTERN_WORKERS": "2"})


def test_the_table_has_a_row_with_a_summary_for_every_setting() -> None:
    rows = table()
    assert [name for name, _, _ in rows] == [variable(field.name) for field in dataclasses.fields(Settings)]
    assert {name: default for name, default, _ in rows}["LECTERN_TIMEOUT_S"] == "30.0"
    assert all(summary for _, _, summary in rows)
