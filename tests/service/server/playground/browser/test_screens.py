"""What fits on screens of usual sizes, without scrolling, in a real browser."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

Open = Callable[..., Any]
TOUCH = {"has_touch": True, "is_mobile": True}


def assert_on_screen(part: Any) -> None:
    expect(part).to_be_visible()
    box, size = part.bounding_box(), part.page.viewport_size
    assert box["x"] >= 0
    assert box["y"] >= 0
    assert box["x"] + box["width"] <= size["width"]
    assert box["y"] + box["height"] <= size["height"]


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("size", [(1280, 800), (1366, 650), (1024, 768)])
def test_pad_tools_answer_and_share_fit_on_a_laptop(
    open_page: Open, size: tuple[int, int], language: str
) -> None:
    playground = open_page(f"/?lang={language}", viewport={"width": size[0], "height": size[1]})
    playground.action("draw", "example").click()
    playground.wait_for_answer("3")
    buttons = playground.page.locator("#draw .tools button, #share button").all()
    assert len(buttons) == 8
    for part in (playground.pad, *buttons):
        assert_on_screen(part)


@pytest.mark.parametrize("language", ["en", "de"])
def test_pad_answer_and_clear_fit_on_a_phone(open_page: Open, language: str) -> None:
    playground = open_page(f"/?lang={language}", viewport={"width": 360, "height": 740}, **TOUCH)
    playground.action("draw", "example").click()
    playground.wait_for_answer("3")
    for part in (playground.pad, playground.headline, playground.action("draw", "clear")):
        assert_on_screen(part)


def test_pictures_are_invited_on_a_phone_without_drop_and_paste(open_page: Open) -> None:
    playground = open_page("/#tab=pictures", viewport={"width": 360, "height": 740}, **TOUCH)
    page = playground.page
    hint = page.locator("#pictures .hint:visible")
    expect(hint).to_have_text("Choose pictures, or take a photo")
    area = page.locator(".drop").bounding_box()
    for button in page.locator("#pictures .button").all():
        assert_on_screen(button)
        # Directly below the area for the picture.
        assert button.bounding_box()["y"] < area["y"] + area["height"] + 100
    page.locator(".example").first.click()
    playground.wait_for_answer("cat")


@pytest.mark.parametrize("width", [320, 360, 768])
def test_the_parts_of_the_german_head_do_not_overlap(open_page: Open, width: int) -> None:
    playground = open_page("/?lang=de", viewport={"width": width, "height": 568}, **TOUCH)
    expect(playground.detail).to_have_text("Zeichnen Sie eine Ziffer")
    boxes = [part.bounding_box() for part in playground.page.locator("header h1, header nav > *").all()]
    assert len(boxes) == 4
    for left, right in itertools.pairwise(boxes):
        assert left["x"] + left["width"] + 4 <= right["x"]
    assert boxes[-1]["x"] + boxes[-1]["width"] <= width


def test_scripts_do_not_delay_the_first_paint(open_page: Open) -> None:
    priorities: dict[str, str] = {}

    def watch(page: Any) -> None:
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.requestWillBeSent", lambda event: note(event["request"]))

    def note(request: dict[str, Any]) -> None:
        if request["url"].endswith(".js"):
            priorities[request["url"]] = request["initialPriority"]

    expect(open_page(prepare=watch).detail).to_have_text("Draw a digit")
    assert len(priorities) > 20
    assert set(priorities.values()) <= {"Low", "VeryLow"}


@pytest.mark.parametrize(
    "options", [{}, {"viewport": {"width": 412, "height": 823}, **TOUCH}], ids=["laptop", "phone"]
)
def test_nothing_on_the_screen_moves_when_the_models_arrive(open_page: Open, options: dict[str, Any]) -> None:
    held: list[Any] = []
    page = open_page(
        prepare=lambda page: page.route("**/models", lambda route: held.append(route)), **options
    ).page
    parts = [page.locator(part) for part in ("#draw canvas", "#draw .tools", "#answer", "#share")]
    expect(parts[0]).to_be_visible()
    before = [part.bounding_box()["y"] for part in parts]
    held.pop().continue_()
    expect(page.locator("#answer .bars li")).to_have_count(10)
    after = [part.bounding_box()["y"] for part in parts]
    for y, new_y in zip(before, after, strict=True):
        assert new_y == pytest.approx(y, abs=1) or y > page.viewport_size["height"]
