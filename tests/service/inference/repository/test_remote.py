"""Models at an address are downloaded once, checked, and used without the network."""

import errno
import functools
import http.server
import json
import os
import shutil
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import msgspec
import pytest

from service.inference.card import read_card, write_card
from service.inference.catalog import Catalog
from service.inference.errors import ChecksumMismatch, MissingExtra, ModelError, SettingsError
from service.inference.repository.remote import RemoteModels

TinyModel = Callable[..., Path]


@pytest.fixture
def make(tiny_model: TinyModel) -> Callable[..., Path]:
    """Write a tiny model whose card names no file that it does not have."""

    def write(folder: Path, **options: Any) -> Path:
        place = tiny_model(folder, **options)
        card = read_card(place / "card.json")
        write_card(msgspec.structs.replace(card, explanation=None), place / "card.json")
        return place

    return write


@pytest.fixture
def bucket(tmp_path: Path, make: Callable[..., Path]) -> Iterator[str]:
    """An address in memory with two versions of one model."""
    local = tmp_path / "local"
    for version in (1, 2):
        make(local, version=version)
    url = f"memory://{uuid.uuid4().hex}/models"
    _upload(local, url)
    yield url
    fsspec.filesystem("memory").rm(url, recursive=True)


def _upload(folder: Path, url: str) -> None:
    fsspec.filesystem("memory").put(f"{folder}/", f"{url}/", recursive=True)


def _versions(url: str, cache: Path) -> tuple[int, ...]:
    return Catalog(RemoteModels(url, cache=cache)).versions("mnist")


def test_models_are_downloaded_and_can_be_used(bucket: str, tmp_path: Path) -> None:
    catalog = Catalog(RemoteModels(bucket, cache=tmp_path / "cache"), check=True)
    assert catalog.versions("mnist") == (1, 2)
    assert catalog.predictor("mnist").card.version == 2
    assert [path.name for path in (tmp_path / "cache").glob("*/.*")] == []


def test_a_second_start_downloads_cards_alone(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = RemoteModels(bucket, cache=tmp_path / "cache")
    assert remote.fetch() == {}
    monkeypatch.setattr(type(fsspec.filesystem("memory")), "get_file", None)
    assert remote.fetch() == {}


def test_new_versions_are_added_and_deleted_ones_removed(
    bucket: str, tmp_path: Path, make: Callable[..., Path]
) -> None:
    cache = tmp_path / "cache"
    assert _versions(bucket, cache) == (1, 2)
    make(tmp_path / "more", version=3)
    _upload(tmp_path / "more", bucket)
    fsspec.filesystem("memory").rm(f"{bucket}/mnist/1", recursive=True)
    assert _versions(bucket, cache) == (2, 3)


def test_a_version_with_leading_zeros_is_reported(
    bucket: str, tmp_path: Path, make: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    make(tmp_path / "more", version=7).rename(tmp_path / "more" / "mnist" / "007")
    _upload(tmp_path / "more", bucket)
    assert _versions(bucket, tmp_path / "cache") == (1, 2)
    assert "/mnist/007: write the version as 7; rename the folder" in caplog.text


def test_the_declared_default_version_is_downloaded_too(bucket: str, tmp_path: Path) -> None:
    files, remote = fsspec.filesystem("memory"), RemoteModels(bucket, cache=tmp_path / "cache")
    files.pipe_file(f"{bucket}/mnist/default", b"1\n")
    assert Catalog(remote).card("mnist").version == 1
    files.pipe_file(f"{bucket}/mnist/default", b"2\n")
    remote.fetch_model("mnist")
    assert Catalog(remote.folder).card("mnist").version == 2
    files.pipe_file(f"{bucket}/mnist/default", b"1\n")
    remote.fetch()
    files.rm(f"{bucket}/mnist/default")
    assert Catalog(remote).card("mnist").version == 2


@pytest.mark.parametrize("name", ["../victim", "/{cache}/victim", "nothing", "null\\0", "long" * 100])
def test_a_name_that_is_not_at_the_address_touches_no_file(bucket: str, tmp_path: Path, name: str) -> None:
    victim = tmp_path / "cache" / "victim" / "default"
    victim.parent.mkdir(parents=True)
    victim.write_text("kept", encoding="utf-8")
    remote = RemoteModels(bucket, cache=tmp_path / "cache")
    remote.fetch_model(name.format(cache=tmp_path / "cache"))
    assert victim.read_text(encoding="utf-8") == "kept"


def test_a_restarted_worker_keeps_what_the_others_need(bucket: str, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert _versions(bucket, cache) == (1, 2)
    fsspec.filesystem("memory").rm(f"{bucket}/mnist/1", recursive=True)
    again = RemoteModels(bucket, cache=cache, keep=True)
    again.fetch()
    assert (again.folder / "mnist" / "1" / "model.onnx").is_file()


def test_two_servers_can_download_at_once(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = os.replace

    def after_another(source: Path, target: Path) -> None:
        if not target.exists():
            shutil.copytree(source, target)
        replace(source, target)

    monkeypatch.setattr(os, "replace", after_another)
    remote = RemoteModels(bucket, cache=tmp_path / "cache")
    assert remote.fetch() == {}
    assert Catalog(remote).versions("mnist") == (1, 2)


def test_a_full_disk_is_reported_with_the_setting(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any, **options: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(type(fsspec.filesystem("memory")), "get_file", fail)
    problems = RemoteModels(bucket, cache=tmp_path / "cache").fetch()
    assert sorted(problems["mnist"]) == ["1", "2"]
    assert "cannot be written (No space left on device)" in str(problems["mnist"]["1"])
    assert "LECTERN_MODEL_CACHE" in str(problems["mnist"]["1"])
    assert str(tmp_path) not in str(problems["mnist"]["1"])  # clients get the text, from /readyz too


@pytest.mark.parametrize("file", ["model.onnx", "card.json"])
def test_a_damaged_download_is_refused_and_the_others_are_used(
    bucket: str, tmp_path: Path, file: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = f"{bucket}/mnist/2/{file}"
    files = fsspec.filesystem("memory")
    files.pipe_file(path, files.cat_file(path)[:100])
    catalog = Catalog(RemoteModels(bucket, cache=tmp_path / "cache"), check=True)
    assert catalog.card("mnist").version == 1
    assert list(catalog.model("mnist").problems) == ["2"]
    assert f"mnist/2/{file}: " in caplog.text
    assert list((tmp_path / "cache").glob("*/mnist/2")) == []


def test_a_version_that_changes_is_refused_and_its_copy_stays_in_use(
    bucket: str, tmp_path: Path, make: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    remote = RemoteModels(bucket, cache=tmp_path / "cache")
    remote.fetch()
    make(tmp_path / "other", version=2, bias=(5.0,) + (0.0,) * 9)
    _upload(tmp_path / "other", bucket)
    assert Catalog(remote).versions("mnist") == (1, 2)
    assert "mnist/2 has changed at memory://" in caplog.text
    with pytest.raises(ChecksumMismatch, match="upload the version again under a new number"):
        remote.fetch_model("mnist")


def test_a_damaged_copy_is_downloaded_again(bucket: str, tmp_path: Path) -> None:
    remote = RemoteModels(bucket, cache=tmp_path / "cache")
    remote.fetch()
    copy = remote.folder / "mnist" / "2" / "model.onnx"
    good = copy.read_bytes()
    copy.write_bytes(b"cut")
    remote.fetch()
    assert copy.read_bytes() == good


def test_an_address_without_models_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="memory://nothing holds no models"):
        RemoteModels("memory://nothing", cache=tmp_path).fetch()


def test_a_missing_package_is_named_with_its_installation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(MissingExtra, match=r"pip install .*'fsspec\[s3\]'$"):
        RemoteModels("s3://bucket/models", cache=tmp_path).fetch()
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(MissingExtra, match=r"pip install .*fsspec aiohttp$"):
        RemoteModels("s3://bucket/models", cache=tmp_path).fetch()


def test_an_unknown_kind_of_address_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"LECTERN_MODELS: .*nothing"):
        RemoteModels("nothing://bucket", cache=tmp_path).fetch()


@pytest.fixture
def web(tmp_path: Path, make: Callable[..., Path]) -> Iterator[tuple[str, Path, http.server.HTTPServer]]:
    """A web server with one version and its index: its address, its folder and itself."""
    folder = tmp_path / "www"
    make(folder, version=1)
    _write_index(folder)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *arguments: object) -> None: ...

    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", folder, server
        server.shutdown()
        thread.join()


def _write_index(folder: Path) -> None:
    rows = [{"name": path.parts[-3], "version": int(path.parts[-2])} for path in folder.glob("*/*/card.json")]
    (folder / "index.json").write_text(json.dumps(rows), encoding="utf-8")


def test_a_web_server_needs_an_index_and_is_needed_once(
    web: tuple[str, Path, http.server.HTTPServer], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url, folder, server = web
    cache = tmp_path / "cache"
    assert _versions(url, cache) == (1,)
    assert caplog.text == ""
    (folder / "index.json").unlink()
    assert _versions(url, cache) == (1,)
    assert f"{url}/index.json cannot be read" in caplog.text
    server.server_close()
    caplog.clear()
    assert _versions(url, cache) == (1,)
    assert "the models that were downloaded earlier are used" in caplog.text
    with pytest.raises(ModelError, match="cannot be read"):
        _versions(url, tmp_path / "another")


@pytest.mark.parametrize("version", ["x", 0, -1, 1.5, None, "9" * 5000])
def test_a_default_that_is_no_version_is_none(
    web: tuple[str, Path, http.server.HTTPServer], tmp_path: Path, version: object
) -> None:
    url, folder, _ = web
    rows = [{"name": "mnist", "version": 1}, {"name": "mnist", "version": version, "default": True}]
    (folder / "index.json").write_text(json.dumps(rows), encoding="utf-8")
    remote = RemoteModels(url, cache=tmp_path / "cache")
    assert remote.fetch() == {}
    assert not (remote.folder / "mnist" / "default").exists()


def test_a_file_for_the_default_that_is_no_text_is_none(bucket: str, tmp_path: Path) -> None:
    fsspec.filesystem("memory").pipe_file(f"{bucket}/mnist/default", b"\xff\xfe")
    assert Catalog(RemoteModels(bucket, cache=tmp_path / "cache")).card("mnist").version == 2


@pytest.mark.parametrize(
    "index",
    [
        "no JSON",
        "{}",
        '["mnist"]',
        '[{"name": "../mnist", "version": 1}]',
        '[{"name": "a", "version": "../1"}]',
    ],
)
def test_an_index_that_names_no_versions_is_reported(
    web: tuple[str, Path, http.server.HTTPServer], tmp_path: Path, index: str
) -> None:
    url, folder, _ = web
    (folder / "index.json").write_text(index, encoding="utf-8")
    with pytest.raises(ModelError, match=r"index\.json is no list of|holds no models"):
        _versions(url, tmp_path / "cache")


def test_passwords_in_the_address_are_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as raised:
        RemoteModels("http://user:secret@127.0.0.1:1/models", cache=tmp_path).fetch()
    assert "secret" not in str(raised.value)


def test_an_unwritable_cache_is_reported(bucket: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    with pytest.raises(SettingsError, match="LECTERN_MODEL_CACHE"):
        RemoteModels(bucket, cache=tmp_path / "file").fetch()
