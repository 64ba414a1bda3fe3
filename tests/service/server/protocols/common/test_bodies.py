"""Large bodies are parsed in threads, within the memory of the server."""

import asyncio
import base64
import codecs
import gc
import json
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from service.inference.errors import InputTooLarge
from service.server.execution.engine import Engine
from service.server.pipeline.errors import RequestError
from service.server.pipeline.memory import WorkingMemory
from service.server.protocols.common.bodies import json_memory, parse_body, parse_json
from service.settings import Settings

Server = Any


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An engine with 1 MB of working memory."""
    made = Engine(Settings(models=tmp_path), working_memory=WorkingMemory(1_000_000))
    yield made
    made.close()


def _parse(engine: Engine, body: bytes, parse: Callable[[bytes], Any]) -> Any:
    return asyncio.run(parse_body(engine, body, parse, memory=json_memory))


@pytest.mark.parametrize(("size", "inline"), [(100, True), (60_000, False)])
def test_only_short_bodies_are_parsed_on_the_event_loop(engine: Engine, size: int, inline: bool) -> None:
    thread = _parse(engine, bytes(size), lambda body: threading.current_thread())
    assert (thread is threading.main_thread()) == inline


def test_collections_are_paused_while_a_large_body_is_parsed(engine: Engine) -> None:
    assert _parse(engine, bytes(60_000), lambda body: gc.isenabled()) is False
    assert gc.isenabled()
    gc.disable()
    try:
        _parse(engine, bytes(60_000), len)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_json_that_takes_too_much_memory_is_an_error(engine: Engine) -> None:
    assert len(_parse(engine, json.dumps("x" * 500_000).encode(), parse_json)) == 500_000
    with pytest.raises(InputTooLarge, match="LECTERN_MEMORY_MB"):
        _parse(engine, b"[%b[]]" % (b"[]," * 20_000), parse_json)


def test_json_of_very_many_lists_is_an_error() -> None:
    with pytest.raises(RequestError, match="2000001 lists and objects, more than 1250000") as refused:
        json_memory(b"[{" * 1_000_000 + b"[")
    assert refused.value.code == "too_large"


@pytest.mark.parametrize("document", [[], [0] * 100_000, [[1, 2, 3]] * 50_000, ["ab"] * 50_000])
def test_the_estimate_is_at_least_what_python_takes(document: list[Any]) -> None:
    body = json.dumps(document).encode()
    tracemalloc.start()
    try:
        parse_json(body)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= json_memory(body) + 10_000


@pytest.mark.parametrize("parameters", ["", 0, False, [], "top_k", [1]])
def test_parameters_that_are_no_object_are_an_error(
    server: Server, parameters: object, digit_png: bytes
) -> None:
    picture = base64.b64encode(digit_png).decode()
    document = {"inputs": picture, "parameters": parameters}
    assert server.post_json("/models/mnist", document).json()["code"] == "invalid_parameter"
    assert server.post_json("/models/mnist/explain", document).json()["code"] == "invalid_parameter"
    document = {"instances": [{"b64": picture}], "signature_name": parameters or 0}
    assert server.post_json("/v1/models/mnist:predict", document).json()["code"] == "invalid_parameter"
    tensor = {"name": "image", "datatype": "BYTES", "shape": [1], "data": [picture]}
    for document in (
        {"inputs": [tensor], "parameters": parameters},
        {"inputs": [tensor | {"parameters": parameters}]},
        {"inputs": [tensor], "outputs": [{"name": "probabilities", "parameters": parameters}]},
    ):
        answer = server.post_json("/v2/models/mnist/infer", document)
        assert (answer.status, answer.json()["code"]) == (400, "invalid_parameter")


def test_json_may_have_a_byte_order_mark() -> None:
    assert parse_json(codecs.BOM_UTF8 + b'{"inputs": 1}') == {"inputs": 1}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "latin-1"])
def test_json_in_another_encoding_is_refused_with_the_encoding_to_send(encoding: str) -> None:
    with pytest.raises(RequestError, match="the body is not JSON: it is not in UTF-8; send it"):
        parse_json('{"inputs": ["schön"]}'.encode(encoding))


@pytest.mark.parametrize("path", ["/models/mnist", "/v1/models/mnist:predict", "/classify_image"])
def test_objects_with_very_many_keys_are_refused_before_they_are_parsed(server: Server, path: str) -> None:
    keys = ",".join(f'"k{number}" : 1' for number in range(300_000))
    answer = server.ask(
        "POST",
        path,
        f'{{"model": "mnist", "inputs": "", "image": "", {keys}}}',
        {"Content-Type": "application/json"},
    )
    assert (answer.status, answer.json()["code"]) == (413, "too_large"), answer.body[:200]
