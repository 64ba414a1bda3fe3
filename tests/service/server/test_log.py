"""Every line of a server's log has one form, as text or as JSON, which no text of a client can forge."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

Server = Any

_ROOT = Path(__file__).resolve().parents[3]
_LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00 (INFO|WARNING|ERROR|CRITICAL) [\w.]+ \S")
_FORGED = "a client's text\n2026-01-01T00:00:00.000+00:00 INFO lectern.access \x1b[2J"
# What a process can write: messages of libraries, warnings, and exceptions that are caught or not.
_SCRIPT = f"""
import logging, sys, threading, warnings
from service.server.log import configure_logging
logging.getLogger("uvicorn.error").addHandler(logging.StreamHandler(sys.stdout))
configure_logging(sys.argv[1])
forged = {_FORGED!r}
logging.getLogger("lectern").info("%s", forged)
logging.getLogger("uvicorn.error").error("Invalid HTTP request received.")
logging.getLogger("bentoml").warning("from BentoML")
logging.getLogger("uvicorn.access").info("not shown")
warnings.warn("deprecated")
try:
    raise ValueError(forged)
except ValueError:
    logging.getLogger("lectern").exception("caught")
def fail():
    raise ValueError("in a thread")
thread = threading.Thread(target=fail)
thread.start()
thread.join()
class Unraisable:
    def __del__(self):
        raise ValueError("in a finalizer")
Unraisable()
raise ValueError("not caught")
"""


def _lines(log_format: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, log_format], cwd=_ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr.splitlines()


def test_everything_that_a_process_writes_is_json() -> None:
    rows = [json.loads(line) for line in _lines("json")]
    assert [(row["level"], row["logger"]) for row in rows] == [
        ("INFO", "lectern"),
        ("ERROR", "uvicorn.error"),
        ("WARNING", "bentoml"),
        ("WARNING", "py.warnings"),
        ("ERROR", "lectern"),
        ("ERROR", "lectern"),
        ("ERROR", "lectern"),
        ("CRITICAL", "lectern"),
    ]
    assert rows[0]["message"] == _FORGED
    assert "deprecated" in rows[3]["message"]
    errors = [row["exception"].splitlines()[-1] for row in rows[5:]]
    assert errors == [f"ValueError: {text}" for text in ("in a thread", "in a finalizer", "not caught")]
    assert all(row["time"].endswith("+00:00") for row in rows)


def test_every_line_of_text_has_time_level_and_logger_or_is_indented() -> None:
    lines = _lines("text")
    assert all(_LINE.match(line) or line.startswith("    ") for line in lines)
    assert not any(line.startswith("2026-01-01") for line in lines)
    assert not any("\x1b" in line for line in lines)
    assert sum("Invalid HTTP request" in line for line in lines) == 1
    assert "    ValueError: not caught" in lines


_PICTURE_SCRIPT = """
import io, sys
from PIL import Image
from service.server.log import configure_logging
configure_logging("text")
from service.inference.preprocessing import decode_image
stream = io.BytesIO()
exif = Image.Exif()
exif[0x0112], exif[0x0100] = 6, 1
Image.new("L", (9, 5)).save(stream, "JPEG", exif=exif)
# The orientation has two numbers in place of one.
one, two = (b"\\x01\\x12\\0\\x03\\0\\0\\0" + count for count in (b"\\x01", b"\\x02"))
content = stream.getvalue()
assert content.count(one) == 1
assert decode_image(content.replace(one, two)).size == (5, 9)
"""


def test_what_is_wrong_with_a_clients_picture_is_not_in_the_log() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PICTURE_SCRIPT], cwd=_ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("name", ["strict", "server"])
def test_every_line_of_a_server_has_the_form_of_its_setting(
    name: str, request: pytest.FixtureRequest
) -> None:
    server: Server = request.getfixturevalue(name)
    server.ask("GET", "/nothing")
    lines = server.log().splitlines()
    assert lines
    for line in lines:
        if name == "strict":
            assert {"time", "level", "logger"} <= set(json.loads(line)), line
        else:
            assert _LINE.match(line) or line.startswith("    "), line
