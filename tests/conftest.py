"""Fixtures of all tests: an environment without LECTERN_* variables, and the committed models."""

import os
from pathlib import Path

import hypothesis
import pytest

from service.inference.catalog import BUNDLED

DATA = Path(__file__).parent / "data"

# For fuzzing by hand: ./run test tests/fuzzing --hypothesis-profile thorough
hypothesis.settings.register_profile("thorough", max_examples=20_000, print_blob=True)


@pytest.fixture(autouse=True)
def _without_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("LECTERN_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def models_folder() -> Path:
    """The committed models."""
    return BUNDLED


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The real samples that ``SOURCES.md`` describes."""
    return DATA
