"""Links, copied requests and saved pictures of what is on the page, in a real browser."""

import ast
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import expect

from service.inference.catalog import BUNDLED, Catalog

Open = Callable[..., Any]


def button(playground: Any, name: str) -> Any:
    return playground.page.locator(f"#share [data-action={name}]")


def copied(playground: Any, name: str) -> str:
    """Press a button, and return what it has copied."""
    status = playground.page.locator("#share [role=status]")
    status.evaluate("element => { element.textContent = ''; }")  # of the button before
    button(playground, name).click()
    expect(status).to_have_text("Copied.")
    text: str = playground.page.evaluate("navigator.clipboard.readText()")
    return text


def run(kind: str, text: str, **environment: str) -> Any:
    command = ["bash", "-c", text] if kind == "curl" else [sys.executable, "-c", text]
    result = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=True, timeout=30
    )
    return json.loads(result.stdout) if kind == "curl" else ast.literal_eval(result.stdout)


@pytest.fixture
def sharing(open_page: Open) -> Callable[..., Any]:
    def open_with_clipboard(path: str = "/", **options: Any) -> Any:
        permissions = ["clipboard-read", "clipboard-write"]
        return open_page(path, permissions=permissions, **options)

    return open_with_clipboard


def test_a_link_opens_the_same_drawing_with_model_and_version(sharing: Any) -> None:
    playground = sharing()
    assert button(playground, "png").is_disabled()
    playground.page.locator("#version").select_option("1")
    playground.draw([(0.3, 0.25), (0.7, 0.25), (0.5, 0.85)])
    playground.wait_for_answer("7")
    link = copied(playground, "link")
    other = sharing(link.removeprefix(playground.page.url.partition("#")[0].rstrip("/")))
    other.wait_for_answer("7")
    assert other.page.locator("#version").input_value() == "1"
    assert other.sent("/versions/1")[-1] == playground.sent("/versions/1")[-1]


def test_a_link_opens_the_same_example(sharing: Any) -> None:
    playground = sharing("/#tab=pictures&model=cifar10")
    playground.page.get_by_role("button", name="Example: horse").click()
    playground.wait_for_answer("horse")
    link = copied(playground, "link")
    other = sharing(link.removeprefix(playground.page.url.partition("#")[0].rstrip("/")))
    other.wait_for_answer("horse")


def test_a_link_that_lacks_the_input_says_so(sharing: Any, tmp_path: Path) -> None:
    playground = sharing("/#tab=pictures&model=cifar10")
    page = playground.page
    status = page.locator("#share [role=status]")
    Image.effect_noise((300, 300), 80).save(tmp_path / "noise.png")
    playground.choose(tmp_path / "noise.png")
    expect(playground.headline).not_to_be_empty()
    text = "Copied, without the input: it does not fit into a link."
    button(playground, "link").click()
    expect(status).to_have_text(text)
    page.locator("#pictures [data-action=clear]").click()
    assert copied(playground, "link") == page.url
    # The address of a letter that is not ASCII takes more than one character.
    page.locator("#text-tab").click()
    page.locator("textarea").fill("a good film 😀 " * 1300)
    expect(playground.headline).not_to_be_empty()
    expect(page.locator(".strongest li").first).to_be_visible()
    button(playground, "link").click()
    expect(status).to_have_text(text)


@pytest.mark.parametrize("kind", ["curl", "python"])
def test_the_copied_request_gets_the_answer_of_the_page(sharing: Any, kind: str) -> None:
    playground = sharing()
    playground.action("draw", "example").click()
    playground.wait_for_answer("3")
    answer = run(kind, copied(playground, kind))
    found = {row["label"]: 100 * row["score"] for row in answer}
    assert found == pytest.approx(playground.scores(), abs=0.06)
    # A number is read digit by digit.
    playground.draw([(0.1, 0.1), (0.1, 0.9)])
    expect(playground.page.locator("#answer [role=status]")).to_contain_text("13")
    reading = run(kind, copied(playground, kind))
    assert reading["text"] == "13"
    found = {row["label"]: 100 * row["score"] for row in reading["digits"]}
    assert found == pytest.approx(playground.scores(), abs=0.06)


@pytest.mark.parametrize("kind", ["curl", "python"])
def test_the_copied_request_has_the_very_text(sharing: Any, kind: str) -> None:
    playground = sharing("/#tab=text")
    text = """@It's "wonderful" – $HOME `moving` \\n\nand 100 % superbly acted 😀"""
    playground.page.locator("textarea").fill(text)
    playground.wait_for_answer("positive")
    answer = run(kind, copied(playground, kind))
    expected = Catalog(BUNDLED).predictor("imdb").predict([text])[0]
    assert answer == [
        {"label": row.label, "score": pytest.approx(row.score, abs=1e-5)} for row in expected.scores
    ]


@pytest.mark.parametrize("kind", ["curl", "python"])
def test_a_large_picture_is_named_by_its_file(
    sharing: Any, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    playground = sharing("/#tab=pictures&model=cats_vs_dogs")
    path = tmp_path / "my cat.png"
    Image.effect_noise((300, 300), 80).save(path)
    playground.choose(path)
    expect(playground.headline).not_to_be_empty()
    text = copied(playground, kind)
    assert "my cat.png" in text
    monkeypatch.chdir(tmp_path)
    best = max(playground.scores().items(), key=lambda row: row[1])
    assert run(kind, text)[0]["label"] == best[0]


@pytest.fixture(scope="module")
def keyed(start_server: Callable[..., Any]) -> Iterator[Any]:
    """A server with an API key."""
    with start_server(API_KEYS="alpha") as running:
        yield running


def test_the_copied_request_names_the_key_by_a_variable(sharing: Any, keyed: Any) -> None:
    playground = sharing(url=keyed.url, allowed="401")
    playground.page.locator("#key input").fill("alpha")
    playground.page.locator("#key button[value=use]").click()
    playground.action("draw", "example").click()
    playground.wait_for_answer("3")
    for kind in ("curl", "python"):
        text = copied(playground, kind)
        assert "alpha" not in text
        assert run(kind, text, LECTERN_API_KEY="alpha")[0]["label"] == "3"


def test_copying_works_without_the_clipboard_of_secure_pages(open_page: Open) -> None:
    playground = open_page(
        permissions=["clipboard-read"],
        prepare=lambda page: page.add_init_script(
            "Clipboard.prototype.writeText = () => Promise.reject(new Error('insecure'))"
        ),
    )
    playground.action("draw", "example").click()
    playground.wait_for_answer("3")
    assert copied(playground, "link") == playground.page.url


@pytest.mark.parametrize("tab", ["draw", "text"])
def test_the_view_is_saved_as_a_picture(open_page: Open, tab: str) -> None:
    playground = open_page(f"/#tab={tab}")
    playground.action(tab, "example").click()
    expect(playground.headline).not_to_be_empty()
    headline = playground.headline.text_content()
    with playground.page.expect_download() as download:
        button(playground, "png").click()
    model = {"draw": "mnist", "text": "imdb"}[tab]
    assert download.value.suggested_filename == f"{model}-{headline}.png"
    picture = Image.open(io.BytesIO(Path(download.value.path()).read_bytes()))
    assert picture.size == (1200, 630)
    # The input is on the left, and the answer and the bars on the right.
    for box in ((40, 40, 590, 590), (630, 0, 1200, 630)):
        assert len(picture.crop(box).convert("RGB").getcolors(1 << 24)) > 20


# Records where texts are drawn, and those that are squeezed because they are too wide.
WATCH_TEXTS = """
  window.drawn = [];
  const { fillText } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.fillText = function (text, left, bottom, width = Infinity) {
    drawn.push({ text, left, bottom, isSqueezed: this.measureText(text).width > width });
    fillText.call(this, text, left, bottom, width);
  };
"""


@pytest.mark.parametrize(("columns", "rows"), [(2, 1), (10, 6), (10, 7)])
@pytest.mark.parametrize("language", ["en", "de"])
def test_no_text_of_the_saved_picture_is_squeezed(
    open_page: Open, eights: Callable[..., Path], columns: int, rows: int, language: str
) -> None:
    playground = open_page(
        f"/?lang={language}#tab=pictures&model=mnist&compare=2",
        allowed="413",
        prepare=lambda page: page.add_init_script(WATCH_TEXTS),
    )
    page = playground.page
    playground.choose(eights(columns, rows))
    if columns * rows <= 64:
        expect(playground.detail).to_contain_text("Version 2: ")
    else:
        expect(playground.detail).to_contain_text("70 marks")
    with page.expect_download():
        button(playground, "png").click()
    drawn = page.evaluate("drawn")
    assert [part["text"] for part in drawn if part["isSqueezed"]] == []
    bottoms = [part["bottom"] for part in drawn if part["left"] == 630]
    assert bottoms == sorted(set(bottoms))
    assert bottoms[-1] - bottoms[-2] > 20
