"""A wrong argument is named before a request is sent."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from service.client import AsyncClient, Client, calls

Make = Callable[..., Any]
_NOT_A_FILE = bytearray(b"\x89PNG")


@pytest.fixture(params=[Client, AsyncClient])
def make(request: pytest.FixtureRequest) -> Make:
    return request.param  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"url": None}, TypeError, "url is None, expected a text"),
        ({"url": b"http://a"}, TypeError, "url is b'http://a' of type bytes"),
        ({"api_key": 7}, TypeError, "api_key is of type int"),
        ({"api_key": "secret\n"}, ValueError, "api_key has a line break"),
        ({"timeout_s": None}, TypeError, "timeout_s is None, expected a number of seconds"),
        ({"timeout_s": "10"}, TypeError, "timeout_s is '10' of type str"),
        ({"timeout_s": 0}, ValueError, "timeout_s is 0, expected a finite number above 0"),
        ({"timeout_s": float("inf")}, ValueError, "timeout_s is inf"),
        ({"timeout_s": float("nan")}, ValueError, "timeout_s is nan"),
        ({"retries": None}, TypeError, "retries is None, expected a whole number"),
        ({"retries": 1.5}, TypeError, "retries is 1.5 of type float"),
        ({"retries": -1}, ValueError, "retries is -1, expected 0 or more"),
    ],
)
def test_an_argument_of_a_client_is_named(
    make: Make, options: dict[str, Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=re.escape(message)) as raised:
        make(**options)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("method", "arguments", "options", "kind", "message"),
    [
        ("predict", (None, b"x"), {}, TypeError, "model is None, expected a text"),
        ("predict", ("", b"x"), {}, ValueError, "model is empty"),
        ("predict", ("mnist", None), {}, TypeError, "value is None, expected the bytes of a picture file"),
        ("predict", ("mnist", 7), {}, TypeError, "value is 7 of type int"),
        ("predict", ("mnist", _NOT_A_FILE), {}, TypeError, "of type bytearray"),
        ("predict", ("mnist", open), {}, TypeError, "of type builtin_function_or_method"),
        ("predict", ("mnist", b"x"), {"version": "2"}, TypeError, "version is '2' of type str, expected"),
        ("predict", ("mnist", b"x"), {"version": True}, TypeError, "version is True of type bool"),
        ("predict", ("mnist", b"x"), {"version": 0}, ValueError, "version is 0, expected 1 or more"),
        ("predict", ("mnist", b"x"), {"top_k": 1.0}, TypeError, "top_k is 1.0 of type float"),
        ("predict", ("mnist", b"x"), {"top_k": 0}, ValueError, "top_k is 0, expected 1 or more"),
        ("predict", ("imdb", "x"), {"encoding": 1}, TypeError, "encoding is 1 of type int"),
        ("predict_many", ("mnist", None), {}, TypeError, "inputs is None, expected a list of picture files"),
        ("predict_many", ("imdb", "a text"), {}, TypeError, "inputs is 'a text' of type str"),
        ("predict_many", ("mnist", b"x"), {}, TypeError, "inputs is b'x' of type bytes"),
        ("predict_many", ("wine", {"a": 1}), {}, TypeError, "of type dict"),
        ("predict_many", ("imdb", iter(["a"])), {}, TypeError, "of type list_iterator"),
        ("predict_many", ("imdb", ["a", None]), {}, TypeError, "inputs[1] is None, expected the bytes"),
        ("predict_many", ("imdb", ["a", {"b": 1}]), {}, TypeError, "inputs[1] a row"),
        ("predict_values", ("wine", {"a": object()}), {}, TypeError, "value['a'] is"),
        ("predict_values", ("wine", {7: 1}), {}, TypeError, "a column of value is 7 of type int"),
        ("predict_many_values", ("wine", [{"a": 1j}]), {}, TypeError, "inputs[0]['a'] is 1j of type complex"),
        (
            "predict_many_values",
            ("wine", [{"a": float("inf")}]),
            {},
            ValueError,
            "inputs[0]['a'] is infinite",
        ),
        ("read", ("mnist", None), {}, TypeError, "picture is None, expected the bytes"),
        ("read", ("mnist", "a.png"), {}, TypeError, "picture is 'a.png' of type str"),
        ("read", (None, b"x"), {}, TypeError, "model is None"),
        ("word_contributions", ("imdb", None), {}, TypeError, "text is None"),
        ("word_contributions", ("imdb", b"x"), {}, TypeError, "text is b'x' of type bytes"),
        ("word_contributions", ("imdb", "x"), {"label": 1}, TypeError, "label is 1 of type int"),
        ("card", (None,), {}, TypeError, "model is None"),
        ("card", ("mnist",), {"version": 1.5}, TypeError, "version is 1.5 of type float"),
    ],
)
def test_an_argument_of_a_call_is_named(
    method: str, arguments: Any, options: dict[str, Any], kind: type[Exception], message: str
) -> None:
    with Client("http://127.0.0.1:1", retries=0) as client, pytest.raises(kind, match=re.escape(message)):
        getattr(client, method)(*arguments, **options)


def test_numbers_of_numpy_are_numbers() -> None:
    call = calls.predict(
        "wine",
        [{"a": np.float32(0.5), "b": np.int64(3)}],
        version=np.int64(2),
        top_k=np.int8(1),
        encoding=None,
    )  # type: ignore[arg-type]
    assert call.path == "/models/wine/versions/2"
    assert call.content["json"] == {"inputs": [{"a": 0.5, "b": 3.0}], "parameters": {"top_k": 1}}


def test_a_value_that_is_not_a_number_is_missing() -> None:
    row = {"a": float("nan"), "b": None, "c": 1, "d": np.float64("nan")}
    call = calls.predict_values("wine", [row], version=None)
    assert call.content["json"]["inputs"] == [{"a": None, "b": None, "c": 1, "d": None}]


@pytest.mark.parametrize(
    "values", [[1.0, 2.0], [[1, 2], [3, 4]], (1, 2), np.zeros((2, 2)), [np.zeros(2)] * 2]
)
def test_what_numpy_reads_is_an_array(values: Any) -> None:
    assert calls.predict_values("wine", values, version=None).content["content"].startswith(b"\x93NUMPY")
