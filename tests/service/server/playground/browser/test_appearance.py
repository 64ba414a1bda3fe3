"""Text, languages, colours, large type, keyboard and screen reader in a real browser."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

Open = Callable[..., Any]
PHONE = {"viewport": {"width": 390, "height": 664}, "has_touch": True, "is_mobile": True}


def test_a_text_is_classified_while_it_is_written(open_page: Open) -> None:
    playground = open_page()
    page = playground.page
    page.locator("#text-tab").click()
    expect(playground.detail).to_have_text("Write a review")
    editor = page.locator("textarea")
    editor.press_sequentially("A wonderful film, moving and superbly acted. Wonderful!")
    playground.wait_for_answer("positive")
    editor.fill("Boring and dreadful, the worst waste of time.")
    playground.wait_for_answer("negative")
    page.locator("#text [data-action=clear]").click()
    expect(playground.detail).to_have_text("Write a review")
    page.locator("#text [data-action=example]").click()
    playground.wait_for_answer("positive")


def test_words_that_the_network_does_not_know_are_an_error(open_page: Open) -> None:
    playground = open_page(allowed="422")
    playground.page.locator("#text-tab").click()
    playground.page.locator("textarea").fill("Xyzzyqwv")
    expect(playground.detail).to_have_text("The network knows none of these words. Write in English.")
    assert all(score == 0 for score in playground.scores().values())


@pytest.mark.parametrize(("locale", "text"), [("de-CH", "Zeichnen"), ("fr-FR", "Draw")])
def test_the_language_is_the_browsers_or_the_chosen_one(open_page: Open, locale: str, text: str) -> None:
    playground = open_page(locale=locale)
    page = playground.page
    expect(page.locator("#draw-tab")).to_have_text(text)
    expect(page.locator("html")).to_have_attribute("lang", locale[:2] if locale.startswith("de") else "en")
    playground.draw([(0.5, 0.2), (0.5, 0.8)])
    expect(playground.headline).not_to_be_empty()
    page.locator(".language").click()
    other = "Draw" if text == "Zeichnen" else "Zeichnen"
    expect(page.locator("#draw-tab")).to_have_text(other)
    # The drawing is in the address.
    expect(playground.headline).not_to_be_empty()


def test_numbers_are_german_on_the_german_page(open_page: Open) -> None:
    playground = open_page("/?lang=de")
    playground.action("draw", "example").click()
    expect(playground.detail).to_have_text("> 99,9 %")


def test_models_and_labels_are_german_on_the_german_page(open_page: Open) -> None:
    playground = open_page("/?lang=de#tab=pictures&model=cats_vs_dogs")
    page = playground.page
    expect(page.locator("#model option:checked")).to_have_text("Katzen und Hunde")
    page.get_by_role("button", name="Beispiel: Katze").click()
    playground.wait_for_answer("Katze")
    expect(page.locator(".tile")).to_have_text("Katze")
    assert list(playground.scores()) == ["Katze", "Hund"]
    page.locator("#why summary").click()
    expect(page.locator("#why option").first).to_have_text("Warum Katze?")
    expect(page.locator("#why figcaption")).to_contain_text("Katze")
    page.locator("#text-tab").click()
    page.locator("#text [data-action=example]").click()
    playground.wait_for_answer("positiv")
    expect(page.locator(".legend")).to_contain_text("Spricht für positiv")


def test_light_and_dark_follow_the_system_until_one_is_chosen(open_page: Open) -> None:
    playground = open_page(color_scheme="dark")
    page = playground.page
    root, button = page.locator("html"), page.locator("[data-action=theme]")
    expect(root).to_have_attribute("data-theme", "dark")
    page.emulate_media(color_scheme="light")
    expect(root).to_have_attribute("data-theme", "light")
    button.click()
    expect(root).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(root).to_have_attribute("data-theme", "dark")


def test_presentation_shows_pad_and_answer_large_and_nothing_else(open_page: Open) -> None:
    playground = open_page("/?present", viewport={"width": 1920, "height": 1080})
    page = playground.page
    playground.action("draw", "example").click()
    playground.wait_for_answer("3")
    for hidden in ("header", ".choices", "#draw .tools", "#answer figure"):
        expect(page.locator(hidden)).to_be_hidden()
    box = playground.pad.bounding_box()
    assert box["height"] > 900
    assert playground.headline.evaluate("(part) => parseFloat(getComputedStyle(part).fontSize)") > 100
    assert page.evaluate("document.documentElement.scrollHeight") <= 1080
    page.keyboard.press("Delete")
    expect(playground.headline).to_be_empty()


def test_a_tab_can_be_chosen_before_the_models_are_there(open_page: Open) -> None:
    waiting: list[Any] = []
    playground = open_page(prepare=lambda page: page.route("**/models", lambda route: waiting.append(route)))
    playground.page.locator("#text-tab").click()
    (route,) = waiting
    route.continue_()
    expect(playground.page.locator("#text")).to_be_visible()
    expect(playground.detail).to_have_text("Write a review")


def test_keys_and_buttons_do_no_harm_before_the_models_are_there(open_page: Open) -> None:
    waiting: list[Any] = []
    playground = open_page(prepare=lambda page: page.route("**/models", lambda route: waiting.append(route)))
    page = playground.page
    page.locator("#draw-tab").focus()
    for key in ("ArrowRight", "End", "Delete", "w"):
        page.keyboard.press(key)
    for button in page.locator("main button:visible:enabled").all():
        button.click()
    page.locator("#draw-tab").click()
    (route,) = waiting
    route.continue_()
    playground.action("draw", "clear").click()
    expect(playground.detail).to_have_text("Draw a digit")
    page.locator("#draw-tab").press("ArrowRight")
    expect(page.locator("#pictures-tab")).to_be_focused()


def test_tabs_are_chosen_by_keys(open_page: Open) -> None:
    playground = open_page()
    page = playground.page
    expect(playground.detail).to_have_text("Draw a digit")
    page.locator("#draw-tab").focus()
    for key, chosen in (
        ("ArrowRight", "pictures"),
        ("ArrowRight", "text"),
        ("ArrowRight", "draw"),
        ("ArrowLeft", "text"),
        ("Home", "draw"),
        ("End", "text"),
    ):
        page.keyboard.press(key)
        expect(page.locator(f"#{chosen}-tab")).to_be_focused()
        expect(page.locator(f"#{chosen}")).to_be_visible()


def test_everything_is_reached_with_the_tab_key(open_page: Open) -> None:
    playground = open_page()
    page = playground.page
    playground.action("draw", "example").click()
    playground.wait_for_answer("3")
    reached = set()
    for _ in range(25):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate("document.activeElement.tagName + (document.activeElement.dataset.action ?? '')")
        )
    assert {"CANVAS", "SELECT", "INPUT", "BUTTONeraser", "BUTTONundo", "BUTTONclear", "A"} <= reached


@pytest.mark.parametrize("options", [{}, {"color_scheme": "dark"}, PHONE], ids=["light", "dark", "phone"])
@pytest.mark.parametrize("tab", ["draw", "pictures", "text"])
def test_axe_finds_nothing(open_page: Open, tab: str, options: dict[str, Any]) -> None:
    playground = open_page(reduced_motion="reduce", **options)
    page = playground.page
    page.locator(f"#{tab}-tab").click()
    if tab == "pictures":
        page.locator(".example").first.click()
    else:
        page.locator(f"#{tab} [data-action=example]").click()
    expect(playground.headline).not_to_be_empty()
    found = Axe().run(page).response["violations"]
    assert [(one["id"], one["impact"], [node["html"] for node in one["nodes"]]) for one in found] == []
