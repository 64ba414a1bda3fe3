"""Fixtures of the tests of ./run: copies of the checkout, without and with a Python that fits."""

from pathlib import Path

import pytest
from simulated_checkout import Checkout


@pytest.fixture
def bare(tmp_path: Path) -> Checkout:
    """A checkout on a machine without Python."""
    return Checkout(tmp_path)


@pytest.fixture
def checkout(bare: Checkout) -> Checkout:
    """A checkout on a machine with one Python that fits."""
    bare.add_python()
    return bare
