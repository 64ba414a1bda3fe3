"""The panel "Why?" in a real browser: heat map, feature maps, the moving kernel and the layers."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect

from service.inference.catalog import Catalog

Open = Callable[..., Any]
MINUS = "\N{MINUS SIGN}"
PHONE = {"viewport": {"width": 390, "height": 664}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def explained(open_page: Open) -> Any:
    playground = open_page(viewport={"width": 1280, "height": 1800})
    explain(playground)
    return playground


def explain(playground: Any) -> None:
    """Draw the example, and open the panel."""
    playground.action("draw", "example").click()
    playground.wait_for_answer("3")
    playground.page.locator("#why summary").click()
    expect(playground.page.locator(".heat figcaption")).to_have_text("What speaks for 3, and against it")
    expect(playground.page.locator(".layers table")).not_to_have_class("empty")


def drawn_pixels(playground: Any, catalog: Catalog) -> Any:
    return catalog.predictor("mnist").prepare(playground.sent(r"/versions/\d+")[-1])


def number(text: str) -> float:
    return float(text.replace(MINUS, "-"))


def test_nothing_is_explained_until_the_panel_is_open(open_page: Open) -> None:
    playground = open_page()
    asked: list[str] = []
    playground.page.on("request", lambda request: asked.append(request.url))
    playground.action("draw", "example").click()
    playground.wait_for_answer("3")
    expect(playground.page.locator("#answer figure")).not_to_have_class("empty")
    assert not [url for url in asked if "explain" in url or "maps" in url]
    playground.page.locator("#text-tab").click()
    expect(playground.page.locator("#why")).to_be_hidden()


def test_the_heat_map_explains_any_label(explained: Any, catalog: Catalog) -> None:
    pixels = drawn_pixels(explained, catalog)
    for label in ("3", "8"):
        heat = catalog.explainer("mnist").heat(pixels, label=label)
        texts = {True: f"What speaks for {label}, and against it", False: f"No place speaks for {label}."}
        expect(explained.page.locator(".heat figcaption")).to_have_text(texts[bool(heat.max() > 0)])
        assert number(explained.page.locator(".scale span").last.text_content()) == pytest.approx(
            float(np.abs(heat).max()), abs=0.011
        )
        painted = explained.page.evaluate("""() => {
          const canvas = document.querySelector(".heat canvas");
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          return [canvas.width, canvas.height, [...data].filter((_, index) => index % 4 === 3)];
        }""")
        assert painted[:2] == [8, 8]
        expected = np.abs(heat) / np.abs(heat).max() * 0.8 * 255
        np.testing.assert_allclose(np.array(painted[2]).reshape(8, 8), expected, atol=2)
        explained.page.locator("#why select").select_option("8")


def test_every_layer_has_a_row_and_the_convolutions_have_their_maps(explained: Any, catalog: Catalog) -> None:
    card = catalog.card("mnist")
    rows = explained.page.locator(".layers tbody tr")
    assert rows.locator("th").all_text_contents() == [layer.name for layer in card.layers]
    assert rows.nth(2).locator("td").all_text_contents()[:3] == ["Conv2D", "26 × 26 × 18", "162"]
    expect(explained.page.locator(".layers tfoot td").first).to_have_text(f"{card.parameters:,}")
    assert card.explanation is not None
    strips = explained.page.locator(".strip")
    assert strips.count() == len(card.explanation.layers)
    assert {strip.locator("button").count() for strip in strips.all()} == {16}
    expect(strips.nth(1)).to_contain_text("+16")


def test_a_map_shows_the_part_of_the_sheet_that_is_its_own(explained: Any, catalog: Catalog) -> None:
    page = explained.page
    explainer, pixels = catalog.explainer("mnist"), drawn_pixels(explained, catalog)
    page.mouse.move(0, 0)
    for layer, index in (("whitening", 3), ("conv2d_1", 0), ("conv2d_6", 2)):
        button = page.locator(f"button[data-layer={layer}][data-map='{index}']")
        shot = button.evaluate("""async (button) => {
          const style = getComputedStyle(button);
          const sheet = new Image();
          sheet.src = style.backgroundImage.slice(5, -2);
          await sheet.decode();
          const scale = parseFloat(style.backgroundSize) / sheet.naturalWidth;
          const [left, top] = style.backgroundPosition.split(" ").map((part) => -parseFloat(part) / scale);
          const side = Math.round(button.getBoundingClientRect().width / scale);
          const canvas = document.createElement("canvas");
          canvas.width = canvas.height = side;
          const context = canvas.getContext("2d");
          context.drawImage(sheet, -Math.round(left), -Math.round(top));
          return [...context.getImageData(0, 0, side, side).data].filter((_, place) => place % 4 === 0);
        }""")
        values = explainer.feature_maps(pixels, layer=layer)[..., index]
        expected = (values - values.min()) / np.ptp(values) * 255
        np.testing.assert_allclose(np.array(shot).reshape(values.shape), expected, atol=1)


def test_the_kernel_moves_and_its_sum_is_written_out(explained: Any, catalog: Catalog) -> None:
    page = explained.page
    page.locator("button[data-layer=whitening][data-map='3']").click()
    expect(page.locator(".feature-map h2")).to_have_text("Feature map 4 of whitening")
    lines = page.locator(".sum span")
    expect(lines).to_have_count(5)
    canvas = page.locator(".feature-map canvas")
    box = canvas.bounding_box()
    row, column = 9, 11
    page.mouse.move(
        box["x"] + (column + 0.5) * box["width"] / 26, box["y"] + (row + 0.5) * box["height"] / 26
    )
    canvas.focus()
    page.keyboard.press("ArrowDown")
    row += 1
    pixels = drawn_pixels(explained, catalog).astype(float)
    kernel = catalog.explainer("mnist").kernel(3)
    window = pixels[row : row + 3, column : column + 3]
    total = float((window * kernel.weights).sum())
    expect(lines.nth(3)).to_have_text(f"= {'+' if total > 0 else MINUS}{abs(total):,.2f}")
    written = [
        re.findall(rf"([+{MINUS}][\d.]+) · (\d+)", lines.nth(line).text_content()) for line in range(3)
    ]
    for y, x in np.ndindex(3, 3):
        weight, level = written[y][x]
        assert number(weight) == pytest.approx(float(kernel.weights[y, x]), abs=0.0051)
        assert int(level) == window[y, x]
    value = catalog.explainer("mnist").feature_maps(pixels.astype(np.uint8), layer="whitening")[
        row, column, 3
    ]
    found = re.search(r"function: (\S+)$", lines.nth(4).text_content())
    assert found
    assert number(found[1]) == pytest.approx(float(value), abs=0.0051)
    frame, picture = page.locator(".window").bounding_box(), page.locator(".pair img").bounding_box()
    assert frame["x"] - picture["x"] == pytest.approx(column * picture["width"] / 28, abs=1)
    assert frame["y"] - picture["y"] == pytest.approx(row * picture["height"] / 28, abs=1)
    assert frame["width"] == pytest.approx(3 * picture["width"] / 28, abs=1)


def test_the_kernel_moves_by_itself_until_it_is_stopped(explained: Any) -> None:
    page = explained.page
    page.locator("button[data-layer=whitening][data-map='3']").click()
    frame = page.locator(".window")
    expect(frame).to_be_visible()
    page.locator(".feature-map [data-action=play]").click()
    expect(frame).to_have_attribute("style", re.compile(r"--left: [1-9]\d\."))
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Move the kernel")).to_be_visible()
    page.locator(".feature-map [data-action=close]").click()
    expect(page.locator(".feature-map")).to_be_hidden()


@pytest.mark.parametrize("way", ["Escape", "Close"])
def test_a_closed_map_gives_the_focus_back_and_the_drawing_stays(explained: Any, way: str) -> None:
    page = explained.page
    button = page.locator("button[data-layer=whitening][data-map='3']")
    button.click()
    expect(page.locator(".feature-map")).to_be_visible()
    if way == "Escape":
        page.locator(".feature-map canvas").focus()
        page.keyboard.press("Escape")
    else:
        page.locator(".feature-map").get_by_role("button", name="Close").click()
    expect(page.locator(".feature-map")).to_be_hidden()
    expect(button).to_be_focused()
    expect(button).to_have_attribute("aria-pressed", "false")
    # Once more there is nothing to close, and Delete clears the pad.
    page.keyboard.press("Escape")
    expect(explained.headline).to_have_text("3")
    assert explained.action("draw", "redo").is_disabled()
    expect(page.locator("#draw")).not_to_have_class(re.compile("blank"))
    page.keyboard.press("Delete")
    expect(page.locator("#draw")).to_have_class(re.compile("blank"))


def test_a_deeper_map_shows_its_place_in_the_picture_and_follows_the_drawing(explained: Any) -> None:
    page = explained.page
    first = page.locator("button[data-layer=conv2d_2][data-map='0']")
    first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(page.locator(".feature-map h2")).to_have_text("Feature map 2 of conv2d_2")
    expect(page.locator(".sum")).to_have_text(re.compile("^Value: .*The frame is its place in the picture.$"))
    with page.expect_response("**/explain?as=json&layer=conv2d_2&map=1"):
        explained.draw([(0.2, 0.8), (0.8, 0.8)])


def test_what_is_explained_goes_with_the_answer_and_the_model(explained: Any) -> None:
    page = explained.page
    page.locator("button[data-layer=whitening][data-map='3']").click()
    expect(page.locator(".sum span").first).to_be_visible()
    explained.action("draw", "clear").click()
    expect(page.locator(".heat figcaption")).to_be_empty()
    expect(page.locator(".sum")).to_be_empty()
    explained.action("draw", "undo").click()
    expect(page.locator(".heat figcaption")).not_to_be_empty()
    page.locator("#version").select_option("1")
    expect(page.locator(".layers tbody tr").nth(2).locator("th")).to_have_text("conv2d")
    expect(page.locator(".feature-map")).to_be_hidden()
    # The lecture's dense network for garments has a heat map, but no feature maps.
    page.locator("#model").select_option("fashion_mnist")
    page.locator("#version").select_option("1")
    expect(page.locator(".layers tbody tr").nth(2).locator("th")).to_have_text("flatten")
    expect(page.locator(".strip")).to_have_count(0)
    expect(page.locator(".heat figcaption")).not_to_be_empty()


def test_a_tab_without_an_answer_shows_nothing_of_another_tab(explained: Any) -> None:
    page = explained.page
    choice, rows = page.locator("#why select"), page.locator(".layers tbody tr")
    expect(choice.locator("option").first).to_have_text("Why 3?")
    page.locator("#pictures-tab").click()
    expect(choice.locator("option").first).to_have_text("Why?")
    expect(page.locator(".heat figcaption")).to_be_empty()
    expect(page.locator(".heat img")).not_to_have_attribute("src", re.compile(""))
    # The layers are those of the tab's own model.
    page.locator("#model").select_option("cifar10")
    expect(choice.locator("option").last).to_have_text("Why truck?")
    count = rows.count()
    page.locator("#draw-tab").click()
    expect(choice.locator("option").first).to_have_text("Why 3?")
    assert rows.count() != count
    page.locator("#pictures-tab").click()
    expect(choice.locator("option").last).to_have_text("Why truck?")
    assert rows.count() == count


@pytest.mark.parametrize("name", ["blank.png", "broken.png"])
def test_a_refused_picture_leaves_nothing_empty_behind(open_page: Open, tmp_path: Path, name: str) -> None:
    playground = open_page("/#tab=pictures&model=mnist", allowed="422")
    page = playground.page
    boxes = page.locator("#why .picture, #why .strip, #why .feature-map, #why .scale")
    page.locator("#why summary").click()
    expect(page.locator(".layers table")).to_be_visible()
    expect(boxes.locator("visible=true")).to_have_count(0)
    page.locator(".example").first.click()
    playground.wait_for_answer("8")
    page.locator("button[data-layer=whitening][data-map='3']").click()
    expect(page.locator(".sum")).not_to_be_empty()
    expect(page.locator(".heat .picture")).to_be_visible()
    Image.new("L", (100, 100), 255).save(tmp_path / "blank.png")
    (tmp_path / "broken.png").write_bytes(b"broken")
    playground.choose(tmp_path / name)
    expect(playground.headline).to_be_empty()
    expect(boxes.locator("visible=true")).to_have_count(0)
    # The layers are those of the model, whatever the picture is.
    expect(page.locator(".layers table")).to_be_visible()
    page.locator(".tile").first.click()
    playground.wait_for_answer("8")
    expect(page.locator(".heat .picture")).to_be_visible()
    expect(page.locator(".sum")).not_to_be_empty()


def test_photos_are_explained_too(open_page: Open) -> None:
    playground = open_page()
    page = playground.page
    page.locator("#pictures-tab").click()
    page.locator("#model").select_option("cats_vs_dogs")
    page.locator(".example").first.click()
    playground.wait_for_answer("cat")
    page.locator("#why summary").click()
    expect(page.locator(".heat figcaption")).to_have_text("What speaks for cat, and against it")
    expect(page.locator(".strip")).to_have_count(35)
    for picture in (".heat img", ".heat canvas"):
        assert page.locator(picture).bounding_box()["width"] > 200
    page.locator("button[data-layer=Conv1][data-map='2']").click()
    expect(page.locator(".sum")).to_have_text(re.compile("^Value: "))


@pytest.mark.parametrize("options", [{}, {"color_scheme": "dark"}, PHONE], ids=["light", "dark", "phone"])
def test_axe_finds_nothing_and_nothing_is_too_wide(open_page: Open, options: dict[str, Any]) -> None:
    playground = open_page(reduced_motion="reduce", **options)
    explain(playground)
    page = playground.page
    page.locator("button[data-layer=whitening][data-map='3']").click()
    expect(page.locator(".sum span").first).to_be_visible()
    found = Axe().run(page).response["violations"]
    assert [(one["id"], one["impact"], [node["html"] for node in one["nodes"]]) for one in found] == []
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
