"""The drawing pad in a real browser: mouse, touch, pen and keys, and the bars that follow the stroke."""

import base64
import io
import math
import re
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, ImageChops
from playwright.sync_api import expect

from service.inference.catalog import Catalog

SEVEN = ((0.3, 0.25), (0.5, 0.24), (0.7, 0.25), (0.62, 0.45), (0.53, 0.65), (0.47, 0.85))
THREE = (
    (0.33, 0.2), (0.48, 0.14), (0.62, 0.22), (0.62, 0.36), (0.47, 0.46),
    (0.63, 0.56), (0.66, 0.72), (0.5, 0.84), (0.33, 0.78),
)  # fmt: skip
PHONE = {
    "viewport": {"width": 390, "height": 664},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}
Open = Callable[..., Any]


def test_a_drawn_digit_is_read(open_page: Open) -> None:
    playground = open_page()
    expect(playground.detail).to_have_text("Draw a digit")
    playground.draw(SEVEN)
    playground.wait_for_answer("7")
    scores = playground.scores()
    assert list(scores) == list("0123456789")
    assert max(scores, key=scores.get) == "7"
    assert sum(scores.values()) == pytest.approx(100, abs=0.6)
    expect(playground.page.locator("#answer [role=status]")).to_have_text(re.compile(r"^7, (> )?99\.9 %$"))


def test_bars_move_during_the_stroke(open_page: Open) -> None:
    playground = open_page()
    # The models are there; what is drawn before is sent like a finished drawing when they arrive.
    expect(playground.detail).to_have_text("Draw a digit")
    mouse = playground.page.mouse
    mouse.move(*playground.point(*SEVEN[0]))
    mouse.down()
    for x, y in SEVEN[1:4]:
        mouse.move(*playground.point(x, y), steps=6)
    expect(playground.headline).not_to_be_empty()
    # Unfinished strokes change too often for a screen reader.
    expect(playground.page.locator("#answer [role=status]")).to_be_empty()
    mouse.up()
    expect(playground.page.locator("#answer [role=status]")).not_to_be_empty()


def test_bars_follow_the_pen_within_50_ms(open_page: Open) -> None:
    playground = open_page()
    page = playground.page
    expect(playground.detail).to_have_text("Draw a digit")
    page.evaluate("""() => {
      window.times = [];
      const duration = document.querySelector(".duration");
      new MutationObserver(() => times.push(Number(duration.dataset.ms))).observe(
        duration, { attributes: true, attributeFilter: ["data-ms"] });
    }""")
    circle = [(0.5 + 0.25 * math.cos(step / 20), 0.5 + 0.35 * math.sin(step / 20)) for step in range(125)]
    medians = []
    for _ in range(6):  # Tests run beside others, and a busy moment says nothing about the playground.
        for _ in range(2):
            playground.draw(circle, steps=1)
            expect(playground.page.locator("#answer [role=status]")).not_to_be_empty()
            playground.action("draw", "clear").click()
        times = sorted(page.evaluate("times.splice(0)"))
        assert len(times) > 20
        medians.append(times[len(times) // 2])
        if medians[-1] < 50:
            break
    assert min(medians) < 50


@pytest.mark.parametrize(
    "options", [{}, PHONE, {"device_scale_factor": 1.5}], ids=["desktop", "phone", "1.5"]
)
def test_the_server_gets_the_drawing_whatever_the_screen(open_page: Open, options: dict[str, Any]) -> None:
    playground = open_page(**options)
    playground.draw(SEVEN)
    playground.wait_for_answer("7")
    expect(playground.page.locator("#answer [role=status]")).to_contain_text("7")
    picture = Image.open(io.BytesIO(playground.sent(r"/versions/\d+")[-1]))
    assert picture.size == (448, 448)
    levels = picture.convert("L")
    left, top, right, bottom = levels.point(lambda level: 255 * (level > 127)).getbbox()
    brush = 0.13 * 320 / 2
    expected = (0.3 * 448 - brush, 0.24 * 448 - brush, 0.7 * 448 + brush, 0.85 * 448 + brush)
    assert (left, top, right, bottom) == pytest.approx(expected, abs=4)


def test_touch_draws_and_does_not_scroll(open_page: Open) -> None:
    playground = open_page(**PHONE)
    touch(playground, SEVEN)
    playground.wait_for_answer("7")
    assert playground.page.evaluate("scrollY") == 0


def test_a_second_finger_clears_the_pad_and_undo_brings_the_drawing_back(open_page: Open) -> None:
    playground = open_page(**PHONE)
    touch(playground, SEVEN)
    playground.wait_for_answer("7")
    session = playground.page.context.new_cdp_session(playground.page)
    points = [
        {"x": x, "y": y, "id": number}
        for number, (x, y) in enumerate([playground.point(0.3, 0.3), playground.point(0.7, 0.7)])
    ]
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": points[:1]})
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": points})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(playground.detail).to_have_text("Draw a digit")
    playground.action("draw", "undo").click()
    playground.wait_for_answer("7")


def test_answer_and_pad_fit_on_a_phone(open_page: Open) -> None:
    playground = open_page(**PHONE)
    touch(playground, SEVEN)
    playground.wait_for_answer("7")
    for part in (playground.pad, playground.headline, playground.page.locator(".bars li").last):
        box = part.bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 664


@pytest.mark.parametrize("width", [320, 390, 768, 1024, 1920, 3840])
def test_nothing_is_wider_than_the_screen(open_page: Open, width: int) -> None:
    playground = open_page(viewport={"width": width, "height": max(width * 9 // 16, 568)})
    for tab in ("draw", "pictures", "text"):
        playground.page.locator(f"#{tab}-tab").click()
        assert playground.page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_pressure_of_a_pen_sets_the_width(open_page: Open) -> None:
    playground = open_page()
    widths = []
    for force in (0.2, 0.9):
        pen(playground, [(0.2, 0.5), (0.4, 0.5), (0.6, 0.5), (0.8, 0.5)], force=force)
        expect(playground.headline).not_to_be_empty()
        left, top, right, bottom = ink(playground).getbbox()
        widths.append((bottom - top) / (right - left))
        playground.action("draw", "clear").click()
        expect(playground.headline).to_be_empty()
    assert widths[1] > 1.6 * widths[0]


def test_the_eraser_removes_ink(open_page: Open) -> None:
    playground = open_page()
    playground.draw([(0.3, 0.5), (0.7, 0.5)])
    expect(playground.headline).not_to_be_empty()
    before = ink(playground).getbbox()
    playground.page.keyboard.press("e")
    expect(playground.action("draw", "eraser")).to_have_attribute("aria-pressed", "true")
    playground.draw([(0.6, 0.5), (0.8, 0.5)])
    assert ink(playground).getbbox()[2] < before[2] - 40
    playground.page.keyboard.press("Control+z")
    assert ImageChops.difference(ink(playground), ink(playground)).getbbox() is None
    assert ink(playground).getbbox() == before


def test_the_brush_sets_the_width(open_page: Open) -> None:
    playground = open_page()
    heights = []
    for percent in ("4", "30"):
        playground.page.locator("#draw input[type=range]").fill(percent)
        playground.draw([(0.3, 0.5), (0.7, 0.5)])
        box = ink(playground).getbbox()
        heights.append(box[3] - box[1])
        playground.action("draw", "clear").click()
    assert heights[1] > 6 * heights[0]


def test_undo_redo_and_clear_by_buttons_and_keys(open_page: Open) -> None:
    playground = open_page()
    undo, redo = playground.action("draw", "undo"), playground.action("draw", "redo")
    expect(undo).to_be_disabled()
    playground.draw(SEVEN)
    playground.wait_for_answer("7")
    undo.click()
    expect(playground.detail).to_have_text("Draw a digit")
    expect(redo).to_be_enabled()
    playground.page.keyboard.press("Control+y")
    playground.wait_for_answer("7")
    playground.page.keyboard.press("Delete")
    expect(playground.headline).to_be_empty()
    playground.page.keyboard.press("Control+z")
    playground.wait_for_answer("7")
    playground.page.keyboard.press("Control+z")
    playground.page.keyboard.press("Control+Shift+Z")
    playground.wait_for_answer("7")


def test_a_digit_drawn_with_keys_is_read(open_page: Open) -> None:
    playground = open_page()
    playground.pad.focus()
    keyboard = playground.page.keyboard
    move = {"l": "ArrowLeft", "r": "ArrowRight", "u": "ArrowUp", "d": "ArrowDown", " ": " "}
    for key in "lllluuuuuu" + " " + "rrrrrrrrr" + "ddl" * 6 + " ":
        keyboard.press(move[key])
    playground.wait_for_answer("7")


def test_the_pad_shows_the_focus_of_keys_and_how_they_draw(open_page: Open) -> None:
    playground = open_page()
    page = playground.page
    hint = page.locator(".keys")
    outline = "(pad) => getComputedStyle(pad).outlineStyle"
    page.locator("#compare").focus()
    page.keyboard.press("Tab")
    expect(playground.pad).to_be_focused()
    expect(hint).to_be_visible()
    assert playground.pad.evaluate(outline) == "solid"
    playground.draw([(0.2, 0.2), (0.8, 0.2)])
    expect(playground.pad).to_be_focused()
    assert playground.pad.evaluate(outline) == "none"
    page.keyboard.press("Delete")
    page.keyboard.press("ArrowLeft")
    assert playground.pad.evaluate(outline) == "solid"
    expect(hint).to_be_visible()


def test_what_the_network_sees_is_the_input_of_the_server(open_page: Open, catalog: Catalog) -> None:
    playground = open_page()
    playground.draw(THREE)
    playground.wait_for_answer("3")
    view = playground.page.locator("#answer figure img")
    with playground.page.expect_response("**/input"):
        playground.action("draw", "undo").click()
        playground.action("draw", "redo").click()
    expect(view).to_be_visible()
    size = "async (img) => { await img.decode(); return [img.naturalWidth, img.naturalHeight]; }"
    assert view.evaluate(size) == [28, 28]
    pixels = view.evaluate("""(img) => {
      const canvas = document.createElement("canvas");
      canvas.width = canvas.height = 28;
      const context = canvas.getContext("2d");
      context.drawImage(img, 0, 0);
      return [...context.getImageData(0, 0, 28, 28).data].filter((_, index) => index % 4 === 0);
    }""")
    assert pixels == catalog.predictor("mnist").prepare(playground.sent("/input")[-1]).ravel().tolist()


def test_another_version_is_shown_beside_the_first(open_page: Open, catalog: Catalog) -> None:
    playground = open_page()
    page = playground.page
    expect(page.locator("#version")).to_have_value(str(catalog.card("mnist").version))
    page.locator("#compare").select_option("1")
    playground.draw(SEVEN)
    playground.wait_for_answer("7")
    second = page.locator(".bars .best .second")
    expect(second).to_be_visible()
    # A function, unlike an expression, is not evaluated again and again, which the page's policy forbids.
    page.wait_for_function(
        "() => Number(document.querySelector('.best .second').style.getPropertyValue('--score')) > 0.9"
    )
    page.locator("#version").select_option("1")
    expect(page.locator("#compare")).to_have_value("0")
    expect(second).to_be_hidden()
    playground.wait_for_answer("7")


def test_several_digits_are_shown_as_a_number(open_page: Open) -> None:
    playground = open_page()
    playground.draw([(0.5 * x - 0.05, 0.25 + 0.5 * y) for x, y in SEVEN])
    playground.draw([(0.5 * x + 0.45, 0.25 + 0.5 * y) for x, y in THREE], steps=12)

    playground.wait_for_answer("73")

    expect(playground.headline).to_have_attribute("data-face", "sure")
    expect(playground.detail).to_contain_text("Several digits")
    # The bars are those of the number's digits, and nothing explains the picture as one digit.
    rows = playground.page.locator("#answer .bars li")
    expect(rows).to_have_count(2)
    assert list(playground.scores()) == ["7", "3"]
    assert min(playground.scores().values()) > 90
    expect(rows.first).to_have_attribute("data-face", "sure")
    expect(playground.page.locator("#why option").first).to_have_text("Why?")
    playground.action("draw", "clear").click()
    playground.draw(SEVEN)
    playground.wait_for_answer("7")


def test_lines_too_thick_for_a_small_digit_are_said(open_page: Open) -> None:
    playground = open_page()
    brush = playground.page.locator(".brush input")
    brush.fill(brush.get_attribute("max"))
    playground.draw([(0.4 + x / 6, 0.4 + y / 6) for x, y in THREE])

    expect(playground.detail).to_have_text("Lines too thick for this size. Draw larger or thinner.")


def test_a_scribble_gets_no_confident_answer(open_page: Open) -> None:
    playground = open_page()
    zigzag = [(0.15 + 0.7 * (step % 2), 0.1 + step * 0.06) for step in range(14)]
    playground.draw(zigzag)
    expect(playground.detail).to_contain_text("Unsure")
    face = playground.headline.get_attribute("data-face")
    assert face in ("unsure", "unknown")
    if face == "unsure":
        expect(playground.headline).to_contain_text("?")


def test_a_link_opens_the_same_drawing(open_page: Open) -> None:
    playground = open_page()
    playground.page.locator("#version").select_option("1")
    playground.draw(THREE)
    playground.wait_for_answer("3")
    scores, picture = playground.scores(), ink(playground)
    address = playground.page.url.partition("/#")[2]
    other = open_page(f"/#{address}")
    other.wait_for_answer("3")
    expect(other.page.locator("#version")).to_have_value("1")
    assert other.scores() == scores
    assert ImageChops.difference(picture, ink(other)).getbbox() is None


@pytest.mark.parametrize(
    ("model", "version", "text"),
    [
        ("none", "1", "There is no model none; mnist is used."),
        ("mnist", "9", "There is no version 9; version {default} is used."),
        ("mnist", "x", "There is no version x; version {default} is used."),
    ],
)
def test_a_stale_link_says_what_is_used_in_its_place(
    open_page: Open, catalog: Catalog, model: str, version: str, text: str
) -> None:
    default = str(catalog.card("mnist").version)
    example = (
        "fA3mCboIRnlqX4QBP5IBF5IBEogBOG5cTnYkhgEHigExggFZbndQiwEsKA-YASqEAU5oaEaAAR6KAQmMATWEAVl0"
        "eVqPATqbARadAQ-RATN9U19v"
    )
    playground = open_page(f"/#tab=draw&model={model}&version={version}&content={example}")
    playground.wait_for_answer("3")
    expect(playground.page.locator("#notice p")).to_have_text(text.format(default=default))
    expect(playground.page.locator("#version")).to_have_value(default)
    # Half of the link in the same tab: the page is not loaded again.
    playground.page.evaluate(
        "(content) => { location.hash = `tab=draw&content=${content}`; }", example[: len(example) // 2]
    )
    expect(playground.page.locator("#notice p")).to_have_text("This link is damaged.")
    playground.wait_for_answer("3")


@pytest.mark.parametrize("content", ["%%%", "AAAA", "fA3mC", "-" * 5000, "____________"])
def test_a_broken_link_opens_an_empty_pad(open_page: Open, content: str) -> None:
    playground = open_page(f"/#tab=draw&model=mnist&version=2&content={content}")
    expect(playground.page.locator("#notice p")).to_have_text("This link is damaged.")
    expect(playground.page.locator("#model")).to_have_value("mnist")
    playground.draw(SEVEN)
    expect(playground.headline).not_to_be_empty()


def test_the_example_is_read_at_a_click(open_page: Open) -> None:
    playground = open_page()
    playground.action("draw", "example").click()
    playground.wait_for_answer("3")
    expect(playground.action("draw", "example")).to_be_hidden()


def ink(playground: Any) -> Image.Image:
    """Return the pad as it is on the screen: ink is white."""
    playground.page.mouse.move(1, 1)
    playground.page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )
    data = playground.pad.evaluate("(canvas) => canvas.toDataURL()")
    picture = Image.open(io.BytesIO(base64.b64decode(data.partition(",")[2]))).convert("L")
    return picture.point(lambda level: 255 * (level > 127))


def touch(playground: Any, points: Any) -> None:
    """Draw a stroke with a finger."""
    session = playground.page.context.new_cdp_session(playground.page)
    expect(playground.pad).to_be_visible()
    for kind, (x, y) in zip(["touchStart", *["touchMove"] * len(points)], points, strict=False):
        px, py = playground.point(x, y)
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": px, "y": py}]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def pen(playground: Any, points: Any, *, force: float) -> None:
    """Draw a stroke with a pen."""
    session = playground.page.context.new_cdp_session(playground.page)
    common = {"button": "left", "pointerType": "pen", "force": force, "clickCount": 1}
    kinds = ["mousePressed", *["mouseMoved"] * (len(points) - 1)]
    for kind, (x, y) in zip(kinds, points, strict=True):
        px, py = playground.point(x, y)
        session.send("Input.dispatchMouseEvent", {"type": kind, "x": px, "y": py, "buttons": 1, **common})
    session.send("Input.dispatchMouseEvent", {"type": "mouseReleased", "x": px, "y": py, **common})
