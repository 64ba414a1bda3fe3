"""Pictures of several digits: the number, its tile, another version's number, and too many digits."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

Open = Callable[..., Any]
Eights = Callable[..., Path]


@pytest.fixture
def playground(open_page: Open) -> Any:
    return open_page("/#tab=pictures&model=mnist")


def test_the_tile_of_several_digits_has_the_number(playground: Any, eights: Eights) -> None:
    # The server is busy for a moment, which is no reason to show the answer for the whole picture.
    busy = [json.dumps({"error": "busy", "code": "overloaded", "request_id": "1"})] * 2
    playground.page.route(
        "**/read",
        lambda route: route.fulfill(status=429, body=busy.pop()) if busy else route.fallback(),
    )
    playground.choose(eights(2))
    playground.wait_for_answer("88")
    expect(playground.page.locator(".tile")).to_have_text("88")
    expect(playground.page.locator(".tile")).not_to_have_class(re.compile("unsure"))
    assert all("429" in text for text in playground.problems)
    playground.problems.clear()


def test_the_number_that_another_version_reads_is_shown(
    playground: Any, data_folder: Path, eights: Eights
) -> None:
    compare = playground.page.locator("#compare")
    playground.choose(eights(3))
    playground.wait_for_answer("888")
    compare.select_option("2")
    expect(playground.detail).to_have_text("Several digits. Each has its bar. Version 2: 888")
    expect(playground.page.locator("#answer .second:visible")).to_have_count(0)
    # The number is not shown for another picture.
    held: list[Any] = []
    playground.page.route("**/versions/2", lambda route: held.append(route))
    playground.choose(eights(4))
    playground.wait_for_answer("8888")
    expect(playground.detail).to_have_text("Several digits. Each has its bar.")
    held.pop().continue_()
    playground.page.unroute("**/versions/2")
    expect(playground.detail).to_contain_text("Version 2: 8888")
    # One digit has bars.
    playground.choose(data_folder / "pictures" / "eight.png")
    playground.wait_for_answer("8")
    expect(playground.detail).not_to_contain_text("Version")
    expect(playground.page.locator("#answer .second:visible").first).to_be_attached()


@pytest.mark.parametrize("width", [320, 390, 800, 1024, 1280])
def test_no_line_of_a_number_is_broken(open_page: Open, eights: Eights, width: int) -> None:
    playground = open_page("/#tab=pictures&model=mnist", viewport={"width": width, "height": 740})
    playground.choose(eights(12, 2))
    playground.wait_for_answer(" ".join(["8" * 12] * 2))
    parts = playground.headline.evaluate("""(part) => [0, 13].map((start) => {
      const range = document.createRange();
      range.setStart(part.firstChild, start);
      range.setEnd(part.firstChild, start + 12);
      return range.getClientRects().length;
    })""")
    assert parts == [1, 1]
    assert playground.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "The picture has 70 marks that could be digits, and more than 64 are not read; send"),
        ("de", "Das könnten mehr Ziffern sein, als gelesen werden."),
    ],
)
def test_more_digits_than_are_read_are_the_reason(
    open_page: Open, eights: Eights, language: str, text: str
) -> None:
    playground = open_page(f"/?lang={language}#tab=pictures&model=mnist", allowed="413")
    playground.choose(eights(10, 7))
    expect(playground.detail).to_contain_text(text)
    expect(playground.detail).to_contain_text("70 marks")
