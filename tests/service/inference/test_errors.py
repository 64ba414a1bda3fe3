"""Tests of the error classes: their tree in the module's docstring, their codes, and short messages."""

import inspect
import re

import pytest

from service.inference import errors
from service.inference.errors import LecternError, shorten

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, LecternError)]


def _tree() -> dict[str, str]:
    """Return class → base class, as in the tree of the module's docstring."""
    bases: dict[str, str] = {}
    above: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        if found := re.match(r"^([│ ├└─]*)([A-Z]\w+)(?:\s{2,}|$)", line):
            depth = len(found[1])
            above = [(each, name) for each, name in above if each < depth]
            bases[found[2]] = above[-1][1] if above else "Exception"
            above.append((depth, found[2]))
    return bases


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_is_in_the_tree_below_its_base(kind: type[LecternError]) -> None:
    assert _tree().get(kind.__name__) == kind.__bases__[0].__name__


def test_tree_has_no_other_errors() -> None:
    assert set(_tree()) == {kind.__name__ for kind in KINDS}


def test_every_error_has_its_own_code() -> None:
    codes = [kind.code for kind in KINDS if kind is not errors.InvalidInput]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", code) for code in codes)


@pytest.mark.parametrize(
    "value", ["x" * 60_000, 10**4000, [[0] * 1000] * 1000, {"x" * 60_000: "x" * 60_000}], ids=type
)
def test_long_value_is_shortened(value: object) -> None:
    assert len(shorten(value)) < 200


@pytest.mark.parametrize("value", ["minst", "it's", "", -7, None, [-1, 28, 28]])
def test_short_value_is_not_changed(value: object) -> None:
    assert shorten(value) == repr(value)
