"""A log gets a line now and then, and a terminal a bar."""

import pytest

from service.batch import progress as module
from service.batch.progress import progress


def test_a_log_gets_lines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    with progress(3000) as advance:
        for seconds in (10, 29, 31, 40, 62):
            now[0] = seconds
            advance(500)
    assert capsys.readouterr().err.splitlines() == ["1,500 of 3,000 inputs", "2,500 of 3,000 inputs"]
