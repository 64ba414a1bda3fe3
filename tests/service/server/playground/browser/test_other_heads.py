"""The playground hides models whose results it cannot show, and says so if there are no others."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

Open = Callable[..., Any]
Server = Any


@pytest.fixture(scope="module")
def mixed(
    start_server: Callable[..., Any], head_models: Path, models_folder: Path, tmp_path_factory: Any
) -> Iterator[Server]:
    """A server of mnist 1 and of the other heads."""
    folder = tmp_path_factory.mktemp("mixed")
    shutil.copytree(head_models, folder, dirs_exist_ok=True)
    shutil.copytree(models_folder / "mnist" / "1", folder / "mnist" / "1")
    with start_server(MODELS=str(folder)) as running:
        yield running


def test_only_models_whose_results_it_can_show_are_offered(open_page: Open, mixed: Server) -> None:
    playground = open_page(url=mixed.url)
    page = playground.page

    playground.draw(((0.3, 0.25), (0.7, 0.25), (0.45, 0.85)))
    playground.wait_for_answer("7")

    expect(page.locator("#draw-tab")).to_be_visible()
    expect(page.locator("#pictures-tab")).to_be_visible()
    expect(page.locator("#text-tab")).to_be_hidden()
    for tab in ("draw", "pictures"):
        page.locator(f"#{tab}-tab").click()
        expect(page.locator("#model option")).to_have_count(1)
        assert page.locator("#model").input_value() == "mnist"


def test_it_says_so_if_there_are_no_others(
    open_page: Open, start_server: Callable[..., Any], head_models: Path
) -> None:
    with start_server(MODELS=str(head_models)) as server:
        for language, text in (
            ("en-GB", "The server has no model that this page shows."),
            ("de", "kein Modell"),
        ):
            playground = open_page(url=server.url, locale=language)
            expect(playground.page.locator("#banner")).to_contain_text(text)


@pytest.mark.parametrize("name", ["fashion_mnist", "imdb"])
def test_the_texts_are_those_of_the_only_model(
    open_page: Open, start_server: Callable[..., Any], models_folder: Path, tmp_path: Path, name: str
) -> None:
    shutil.copytree(models_folder / name / "1", tmp_path / name / "1")
    with start_server(MODELS=str(tmp_path)) as server:
        playground = open_page(url=server.url)
        page = playground.page
        if name == "fashion_mnist":
            expect(playground.detail).to_have_text("Draw something")
            expect(page.locator("#draw .hint p").first).to_have_text("Draw something")
            return
        expect(playground.detail).to_have_text("Write a review")
        page.evaluate("""() => {
          const data = new DataTransfer();
          data.items.add(new File(["GIF89a"], "cat.gif", { type: "image/gif" }));
          document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true }));
        }""")
        expect(page.locator("#notice p")).to_have_text("The server has no model for pictures.")
