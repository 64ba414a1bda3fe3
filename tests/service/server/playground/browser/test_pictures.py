"""Pictures in a real browser: chosen, dropped, pasted, large, turned, and many."""

import base64
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

Open = Callable[..., Any]

# Dispatches an event with files or texts, as browsers make it for a drop or from the clipboard.
SEND = """([kind, target, files, texts]) => {
  const data = new DataTransfer();
  for (const { name, type, base64 } of files) {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    data.items.add(new File([bytes], name, { type }));
  }
  for (const [type, text] of Object.entries(texts)) data.setData(type, text);
  const event = kind === "paste"
    ? new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true })
    : new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
  document.querySelector(target).dispatchEvent(event);
}"""


@pytest.fixture
def pictures(open_page: Open) -> Any:
    playground = open_page()
    playground.page.locator("#pictures-tab").click()
    expect(playground.detail).to_have_text("Open a picture")
    return playground


def model(playground: Any, name: str) -> None:
    playground.page.locator("#model").select_option(name)


def send(playground: Any, kind: str, files: list[tuple[str, str, bytes]], **texts: str) -> None:
    rows = [
        {"name": name, "type": media_type, "base64": base64.b64encode(data).decode()}
        for name, media_type, data in files
    ]
    named = {key.replace("_", "/").replace("uri/list", "uri-list"): value for key, value in texts.items()}
    playground.page.evaluate(SEND, [kind, "body", rows, named])


@pytest.mark.parametrize(
    ("name", "file", "label"),
    [
        ("mnist", "eight.png", "8"),
        ("fashion_mnist", "ankle_boot.png", "Ankle boot"),
        ("cifar10", "horse.png", "horse"),
        ("cats_vs_dogs", "cat.jpg", "cat"),
    ],
)
def test_every_model_of_pictures_reads_a_chosen_file(
    pictures: Any, data_folder: Path, name: str, file: str, label: str
) -> None:
    model(pictures, name)
    pictures.choose(data_folder / "pictures" / file)
    pictures.wait_for_answer(label)
    expect(pictures.page.locator(".tile")).to_have_text(label)
    assert pictures.sent(r"/versions/\d+")[-1] == (data_folder / "pictures" / file).read_bytes()


def test_several_files_become_tiles(pictures: Any, data_folder: Path) -> None:
    files = [data_folder / "pictures" / name for name in ("horse.png", "cat.jpg", "eight.png")]
    model(pictures, "cifar10")
    pictures.choose(*files)
    tiles = pictures.page.locator(".tile")
    expect(tiles).to_have_text([re.compile(".+")] * 3)
    pictures.wait_for_answer("horse")
    assert "horse.png: horse" in tiles.nth(0).get_attribute("aria-label")
    tiles.nth(1).click()
    expect(tiles.nth(1)).to_have_attribute("aria-pressed", "true")
    model(pictures, "cats_vs_dogs")
    pictures.wait_for_answer("cat")
    expect(tiles.nth(1)).to_have_text("cat")
    pictures.action("pictures", "clear").click()
    expect(tiles).to_have_count(0)
    expect(pictures.detail).to_have_text("Open a picture")


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_a_picture_is_dropped_or_pasted_on_any_tab(open_page: Open, data_folder: Path, kind: str) -> None:
    playground = open_page()
    expect(playground.detail).to_have_text("Draw a digit")
    data = (data_folder / "pictures" / "cat.jpg").read_bytes()
    send(playground, kind, [("cat.jpg", "image/jpeg", data)])
    expect(playground.page.locator("#pictures-tab")).to_have_attribute("aria-selected", "true")
    model(playground, "cats_vs_dogs")
    playground.wait_for_answer("cat")


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_a_dropped_picture_is_read_by_the_chosen_model(open_page: Open, data_folder: Path, kind: str) -> None:
    playground = open_page()
    expect(playground.detail).to_have_text("Draw a digit")
    data = (data_folder / "pictures" / "eight.png").read_bytes()
    send(playground, kind, [("eight.png", "image/png", data)])
    playground.wait_for_answer("8")
    expect(playground.page.locator("#model")).to_have_value("mnist")
    # A text is no picture, and its model reads none: the pictures keep theirs.
    playground.page.locator("#text-tab").click()
    send(playground, "drop", [("eight.png", "image/png", data)])
    expect(playground.page.locator(".tile")).to_have_text(["8", "8"])


def test_a_dropped_text_file_is_refused_where_it_is_dropped(open_page: Open) -> None:
    playground = open_page()
    page = playground.page
    expect(playground.detail).to_have_text("Draw a digit")
    send(playground, "drop", [("notes.txt", "text/plain", b"hello")])
    expect(page.locator("#notice p")).to_have_text("It contains no picture.")
    expect(page.locator("#draw-tab")).to_have_attribute("aria-selected", "true")
    page.locator("#notice button").click()
    expect(page.locator("#notice")).to_be_hidden()


@pytest.mark.parametrize(
    ("scores", "headline", "caption"),
    [
        ((0.9, 0.1), "0", "0"),
        ((0.6, 0.35, 0.05), "0 or 1?", "0 or 1?"),
        ((0.1,) * 10, "Looks like nothing I know", "?"),
    ],
    ids=["sure", "unsure", "unknown"],
)
def test_a_tile_names_no_label_that_the_headline_does_not(
    pictures: Any, data_folder: Path, scores: tuple[float, ...], headline: str, caption: str
) -> None:
    rows = [{"label": str(digit), "score": score} for digit, score in enumerate(scores)]
    headers = {"X-Lectern-Unsure": json.dumps(scores[0] < 0.9)}
    pictures.page.route(
        re.compile(r"/models/mnist/versions/\d+$"),
        lambda route: (
            route.fulfill(json=rows, headers=headers) if route.request.method == "POST" else route.fallback()
        ),
    )
    model(pictures, "mnist")
    pictures.choose(*[data_folder / "pictures" / name for name in ("eight.png", "cat.jpg")])
    tiles = pictures.page.locator(".tile")
    expect(tiles).to_have_text([caption, caption])
    for tile in tiles.all():
        expect(tile).to_have_attribute("aria-label", re.compile(rf": {re.escape(headline)}, "))
    pictures.wait_for_answer(headline)


@pytest.mark.parametrize(
    "texts",
    [
        {"text_uri_list": "https://example.org/cat.jpg"},
        {"text_plain": "https://example.org/cat.jpg"},
        {"text_html": '<p><img src="https://example.org/cat.jpg"></p>'},
    ],
)
def test_an_address_is_refused_with_the_reason(pictures: Any, texts: dict[str, str]) -> None:
    send(pictures, "drop", [], **texts)
    expect(pictures.page.locator("#notice p")).to_contain_text("Lectern downloads nothing")


def test_other_content_is_refused(pictures: Any) -> None:
    send(pictures, "paste", [], text_plain="hello")
    expect(pictures.page.locator("#notice p")).to_have_text("It contains no picture.")


def test_examples_are_those_of_the_model(pictures: Any) -> None:
    examples = pictures.page.locator(".example")
    for name, first in (("mnist", "8"), ("fashion_mnist", "Ankle boot"), ("cats_vs_dogs", "cat")):
        model(pictures, name)
        expect(examples.first).to_have_attribute("aria-label", f"Example: {first}")
        examples.first.click()
        pictures.wait_for_answer(first)


def test_a_photo_of_40_megapixels_is_scaled_down_and_turned(
    pictures: Any, data_folder: Path, tmp_path: Path
) -> None:
    with Image.open(data_folder / "pictures" / "cat.jpg") as cat:
        # Stored on its side, as phones do it; EXIF says how to turn it.
        large = cat.resize((7300, 5480)).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    large.save(tmp_path / "photo.jpg", quality=80, exif=exif)
    assert large.width * large.height > 40_000_000
    model(pictures, "cats_vs_dogs")
    pictures.choose(tmp_path / "photo.jpg")
    expect(pictures.headline).to_have_text("cat", timeout=20_000)
    sent = Image.open(io.BytesIO(pictures.sent(r"/versions/\d+")[-1]))
    assert max(sent.size) == 1600
    assert sent.width > sent.height  # upright
    assert len(pictures.sent(r"/versions/\d+")[-1]) < 1_500_000


def test_a_damaged_file_is_an_error_and_the_next_one_is_read(
    pictures: Any, data_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    pictures.problems.clear()
    pictures.choose(tmp_path / "broken.png")
    expect(pictures.detail).to_contain_text("The picture is damaged")
    expect(pictures.headline).to_be_empty()
    expect(pictures.page.locator(".tile")).to_have_text("Error")
    model(pictures, "mnist")
    pictures.choose(data_folder / "pictures" / "eight.png")
    pictures.wait_for_answer("8")
    assert all("422" in text for text in pictures.problems)
    pictures.problems.clear()


def test_a_tiff_that_the_browser_cannot_read_is_read_by_the_server(
    pictures: Any, data_folder: Path, tmp_path: Path
) -> None:
    with Image.open(data_folder / "pictures" / "eight.png") as eight:
        eight.save(tmp_path / "eight.tiff")
    model(pictures, "mnist")
    pictures.choose(tmp_path / "eight.tiff")
    pictures.wait_for_answer("8")
    # The page shows what the network reads of it, large and as a tile.
    for image in (pictures.page.locator("#pictures .view"), pictures.page.locator(".tile img")):
        expect(image).to_have_attribute("src", re.compile("^blob:"))
        assert image.evaluate("async (image) => { await image.decode(); return image.naturalWidth; }") == 28
    with pictures.page.expect_download():
        pictures.page.locator("[data-action=png]").click()


@pytest.mark.parametrize(
    ("name", "data", "text"),
    [
        ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'></svg>", "The file is an SVG drawing"),
        ("scan.pdf", b"%PDF-1.7", "The file is a PDF document"),
    ],
)
def test_a_refused_file_is_named_as_the_server_names_it(
    open_page: Open, tmp_path: Path, name: str, data: bytes, text: str
) -> None:
    playground = open_page("/#tab=pictures", allowed="422")
    (tmp_path / name).write_bytes(data)
    playground.choose(tmp_path / name)
    expect(playground.detail).to_contain_text(text)
    # The name has the text that is seen, as speech control needs it.
    expect(playground.page.locator(".tile")).to_have_text("Error")
    expect(playground.page.locator(".tile")).to_have_attribute("aria-label", re.compile(f"Error: {text}"))
    # There is nothing to see of it: an icon stands for it, and no broken picture.
    for image in (playground.page.locator("#pictures .view"), playground.page.locator(".tile img")):
        expect(image).to_have_attribute("src", re.compile("/file.svg$"))
        image.evaluate("(image) => image.decode()")


def test_more_pictures_than_the_limit_are_not_loaded(pictures: Any) -> None:
    stream = io.BytesIO()
    Image.fromarray(np.full((8, 8), 200, np.uint8)).save(stream, "PNG")
    model(pictures, "cifar10")
    send(pictures, "drop", [(f"{number}.png", "image/png", stream.getvalue()) for number in range(70)])
    expect(pictures.page.locator(".tile")).to_have_count(60)
    expect(pictures.page.locator("#notice p")).to_have_text("Only the first 60 pictures were loaded.")
    # Where there is no room, nothing changes.
    page = pictures.page
    page.locator(".tile").nth(5).click()
    expect(page.locator(".tile").nth(5)).to_have_attribute("aria-pressed", "true")
    page.locator("#draw-tab").click()
    for kind in ("drop", "paste"):
        send(pictures, kind, [("one more.png", "image/png", stream.getvalue())])
        expect(page.locator("#notice p")).to_have_text("The list is full. Clear it first.")
        expect(page.locator("#draw-tab")).to_have_attribute("aria-selected", "true")
        page.locator("#notice button").click()
    page.locator("#pictures-tab").click()
    page.locator(".example").first.click()
    expect(page.locator("#notice p")).to_have_text("The list is full. Clear it first.")
    expect(page.locator(".tile").nth(5)).to_have_attribute("aria-pressed", "true")
    pictures.action("pictures", "clear").click()
    expect(page.locator("#notice")).to_be_hidden()


def test_the_camera_is_offered_on_phones(open_page: Open) -> None:
    playground = open_page(viewport={"width": 390, "height": 664}, has_touch=True, is_mobile=True)
    playground.page.locator("#pictures-tab").click()
    camera = playground.page.locator("#pictures .camera")
    expect(camera).to_be_visible()
    expect(camera.locator("input")).to_have_attribute("capture", "environment")


def test_a_model_of_ones_own_is_offered_with_its_labels(
    open_page: Open, start_server: Callable[..., Any], tiny_model: Callable[..., Path], tmp_path: Path
) -> None:
    labels = [f"kind {number}" for number in range(20)]
    place = tiny_model(tmp_path, name="own", bias=tuple(float(number == 13) * 9 for number in range(20)))
    card = json.loads((place / "card.json").read_text())
    card |= {"labels": labels, "title": "A network of one's own: the first"}
    (place / "card.json").write_text(json.dumps(card))
    with start_server(MODELS=str(tmp_path)) as own:
        playground = open_page(url=own.url)
        expect(playground.page.locator("#text-tab")).to_be_hidden()
        expect(playground.page.locator("#model option")).to_have_text(["A network of one's own"])
        playground.draw([(0.3, 0.3), (0.7, 0.7)])
        playground.wait_for_answer("kind 13")
        # Of many labels, only the best have a bar.
        assert len(playground.scores()) == 12
