"""Tests of the settings: defaults, values that are accepted, and errors that name the variable."""

import socket
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from service.inference.errors import SettingsError
from service.settings import Settings, table, variable


def test_defaults_without_any_variable(models_folder: Path) -> None:
    assert Settings.from_environment({}) == Settings(
        models=str(models_folder),
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
        api_keys_file=None,
        metrics_key="",
        rate_limit=0.0,
        rate_burst=10,
        cors_origins=(),
        trusted_proxies=(),
        log_format="text",
    )


def test_empty_variables_are_ignored() -> None:
    empty = {variable(name): "" for name in Settings.__struct_fields__}
    assert Settings.from_environment(empty) == Settings()


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("models", "/srv/models", "/srv/models"),
        ("models", "~/models", str(Path.home() / "models")),
        ("host", "0.0.0.0", "0.0.0.0"),
        ("host", "localhost", "127.0.0.1"),
        ("host", "::1", "::1"),
        ("port", "8080", 8080),
        ("workers", "2", 2),
        ("providers", "AUTO", ("auto",)),
        ("providers", "cuda, cpu", ("cuda", "cpu")),
        ("tensorrt_cache", "~/engines", Path.home() / "engines"),
        ("precision", "INT8", "int8"),
        ("precision", "float32", "float32"),
        ("threads", "4", 4),
        ("max_body_mb", "1", 1),
        ("record", "~/record", Path.home() / "record"),
        ("record_share", "0.01", 0.01),
        ("record_mb", "16", 16),
        ("max_pixels", "784", 784),
        ("max_batch", "1", 1),
        ("max_queue", "100000", 100_000),
        ("timeout_s", "0.25", 0.25),
        ("api_keys", "one, two,", ("one", "two")),
        ("metrics_key", "own", "own"),
        ("metrics_key", "open", "open"),
        ("metrics_key", "own\n", "own"),  # as a Secret that was made of a file has it
        ("rate_burst", "1", 1),
        ("trusted_proxies", "127.0.0.1, 10.0.0.7/8, ::1", ("127.0.0.1/32", "10.0.0.0/8", "::1/128")),
        (
            "cors_origins",
            "https://a.example,http://localhost:8000",
            ("https://a.example", "http://localhost:8000"),
        ),
        ("cors_origins", "*", ("*",)),
        ("trusted_proxies", "10.0.0.0/8, 192.0.2.1", ("10.0.0.0/8", "192.0.2.1/32")),
        ("trusted_proxies", "2001:db8::/32", ("2001:db8::/32",)),
        ("log_format", "json", "json"),
    ],
)
def test_each_variable_is_read(name: str, text: str, value: Any) -> None:
    settings = Settings.from_environment({variable(name): text})
    assert settings == replace(Settings(), **{name: value})


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
        ("port", "1_0_0"),
        ("port", " 80"),
        ("port", "80 "),
        ("port", "+80"),
        ("port", "3e3"),
        ("port", "3000.0"),
        ("port", "\N{FULLWIDTH DIGIT EIGHT}0"),
        ("grpc_port", "-1"),
        ("grpc_port", "65536"),
        ("workers", "0"),
        ("workers", "1.5"),
        ("workers", "2.0"),
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
        ("rate_limit", "-1"),
        ("rate_limit", "1_0"),
        ("rate_burst", "0"),
        ("timeout_s", "0"),
        ("timeout_s", "nan"),
        ("timeout_s", "inf"),
        ("timeout_s", "1_0"),
        ("timeout_s", "+1"),
        ("timeout_s", " 1"),
        ("cors_origins", "example.org"),
        ("cors_origins", "https://example.org/page"),
        ("trusted_proxies", ","),
        ("trusted_proxies", "proxy.example"),
        ("trusted_proxies", "10.0.0.0/33"),
        ("log_format", "xml"),
        ("record_inputs", "pictures"),
        ("record_share", "0"),
        ("record_share", "1.1"),
        ("record_mb", "15"),
    ],
)
def test_invalid_value_is_reported_with_the_expected_one(name: str, text: str) -> None:
    with pytest.raises(SettingsError) as raised:
        Settings.from_environment({variable(name): text})
    assert str(raised.value).startswith(f"{variable(name)} is {text!r}, expected ")


@pytest.mark.parametrize("text", [",", " ", "secret key", "ключ", "secret\x07"])
def test_invalid_keys_are_reported_without_their_value(text: str) -> None:
    with pytest.raises(SettingsError, match="LECTERN_API_KEYS cannot be used, expected") as raised:
        Settings.from_environment({"LECTERN_API_KEYS": text})
    assert "secret" not in str(raised.value)


def test_an_invalid_metrics_key_is_reported_without_its_value() -> None:
    with pytest.raises(SettingsError, match="LECTERN_METRICS_KEY cannot be used, expected") as raised:
        Settings.from_environment({"LECTERN_METRICS_KEY": "secret key"})
    assert "secret" not in str(raised.value)


def test_a_file_of_keys_is_checked_and_its_links_are_kept(tmp_path: Path) -> None:
    path, link = tmp_path / "keys", tmp_path / "link"
    path.write_text("alice: a1\n")
    link.symlink_to(path)
    settings = Settings.from_environment({"LECTERN_TLS_CERT": str(link), "LECTERN_TLS_KEY": str(link)})
    assert (settings.tls_cert, settings.tls_key) == (link, link)
    settings = Settings.from_environment({"LECTERN_API_KEYS_FILE": str(link), "LECTERN_RATE_LIMIT": "0.5"})
    assert (settings.api_keys_file, settings.needs_key, settings.rate_limit) == (link, True, 0.5)
    path.write_text("secret\n")
    with pytest.raises(SettingsError, match=r"LECTERN_API_KEYS_FILE: .*link, line 1: is not") as raised:
        Settings.from_environment({"LECTERN_API_KEYS_FILE": str(link)})
    assert "secret" not in str(raised.value)


def test_a_rate_limit_needs_keys() -> None:
    with pytest.raises(SettingsError, match=r"LECTERN_RATE_LIMIT limits each API key.* LECTERN_API_KEYS"):
        Settings.from_environment({"LECTERN_RATE_LIMIT": "5"})


def test_inputs_are_recorded_only_with_a_record() -> None:
    with pytest.raises(SettingsError, match=r"LECTERN_RECORD_INPUTS is 'all'.* set LECTERN_RECORD to its"):
        Settings.from_environment({"LECTERN_RECORD_INPUTS": "all"})
    settings = Settings.from_environment({"LECTERN_RECORD": "record", "LECTERN_RECORD_INPUTS": "ALL"})
    assert settings.record_inputs == "all"


def test_half_precision_is_that_of_tensorrt() -> None:
    with pytest.raises(
        SettingsError, match=r"LECTERN_TENSORRT_FP16 is 1, .* LECTERN_PROVIDERS=tensorrt,cuda"
    ):
        Settings.from_environment({"LECTERN_TENSORRT_FP16": "1"})
    both = {"LECTERN_PROVIDERS": "tensorrt,cuda,cpu", "LECTERN_TENSORRT_FP16": "1"}
    assert Settings.from_environment(both).tensorrt_fp16


@pytest.mark.parametrize("name", ["LECTERN_PORT", "LECTERN_GRPC_PORT"])
def test_the_address_of_a_kubernetes_service_is_named_as_such(name: str) -> None:
    with pytest.raises(SettingsError) as raised:
        Settings.from_environment({name: "tcp://10.96.0.12:80"})
    assert str(raised.value).startswith(
        f"{name} is 'tcp://10.96.0.12:80', which Kubernetes sets for a Service"
    )
    assert "enableServiceLinks: false" in str(raised.value)


def test_http_and_grpc_need_different_ports() -> None:
    assert Settings.from_environment({"LECTERN_GRPC_PORT": "3001"}).grpc_port == 3001
    with pytest.raises(SettingsError, match="LECTERN_GRPC_PORT and LECTERN_PORT are both 3000; choose"):
        Settings.from_environment({"LECTERN_GRPC_PORT": "3000"})


def test_grpc_needs_one_worker_where_ports_cannot_be_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "SO_REUSEPORT", raising=False)
    assert Settings.from_environment({"LECTERN_GRPC_PORT": "3001"}).workers == 1
    with pytest.raises(SettingsError, match=r"LECTERN_GRPC_PORT needs one worker .* which is 2, to 1"):
        Settings.from_environment({"LECTERN_GRPC_PORT": "3001", "LECTERN_WORKERS": "2"})


def test_table_has_a_row_with_a_summary_for_every_setting() -> None:
    rows = table()
    assert [name for name, _, _ in rows] == [variable(name) for name in Settings.__struct_fields__]
    assert {name: default for name, default, _ in rows}["LECTERN_TIMEOUT_S"] == "30.0"
    assert all(summary for _, _, summary in rows)


@pytest.mark.parametrize(("workers", "least"), [("1", 250), ("auto", 250), ("3", 750)])
def test_less_memory_than_the_workers_take_is_an_error(workers: str, least: int) -> None:
    environment = {"LECTERN_WORKERS": workers, "LECTERN_MEMORY_MB": str(least)}
    assert Settings.from_environment(environment).memory_mb == least
    with pytest.raises(
        SettingsError, match=rf"LECTERN_MEMORY_MB is {least - 1}, .* needs at least {least}; "
    ):
        Settings.from_environment(environment | {"LECTERN_MEMORY_MB": str(least - 1)})
