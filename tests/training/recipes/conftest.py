"""Keeps the tests of the recipes from downloading weights."""

import pytest

from training.networks import pretrained


@pytest.fixture(autouse=True)
def _no_download(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrained, "WEIGHTS", None)
