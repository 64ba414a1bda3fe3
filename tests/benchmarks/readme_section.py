"""Replaces the part of a README that a benchmark writes."""

import re
from pathlib import Path

from peers.errors import BenchmarkError


def with_section(page: Path, name: str, text: str) -> str:
    """Return the content of a page with another text between ``<!-- name -->`` and ``<!-- /name -->``.

    Raises:
        BenchmarkError: The page does not have these lines.
    """
    place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    content, count = place.subn(
        lambda match: f"{match[1]}{text}\n{match[2]}", page.read_text(encoding="utf-8"), count=1
    )
    if not count:
        raise BenchmarkError(f"{page} lacks the lines <!-- {name} --> and <!-- /{name} -->; add them")
    return content
