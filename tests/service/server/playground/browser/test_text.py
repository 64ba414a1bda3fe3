"""Reviews in a real browser: the words have the colours of what they contribute, live while typing."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from service.inference.catalog import Catalog
from service.inference.word_contributions import word_contributions

Open = Callable[..., Any]
TEXT = "Not good \N{GRINNING FACE}, but a wonderful <i>moving</i> film. A perfect, great ending. Wonderful!"


@pytest.fixture
def review(open_page: Open) -> Any:
    playground = open_page()
    playground.page.locator("#text-tab").click()
    expect(playground.detail).to_have_text("Write a review")
    return playground


def marked(playground: Any, kind: str) -> list[str]:
    return playground.page.locator(f".marks mark.{kind}").all_text_contents()


def test_words_have_the_colour_of_what_they_contribute(review: Any, catalog: Catalog) -> None:
    page = review.page
    page.locator("textarea").fill(TEXT)
    review.wait_for_answer("positive")
    rows = page.locator(".strongest li")
    expect(rows).to_have_count(8)
    expected = word_contributions(catalog.predictor("imdb"), TEXT, label="positive").words[:8]
    signs = {True: "+", False: "\N{MINUS SIGN}"}
    assert rows.all_text_contents() == [
        f"{word.word} {signs[word.contribution > 0]}{abs(word.contribution):.2f}" for word in expected
    ]
    assert sum("onderful" in text for text in marked(review, "for")) == 2
    assert any("good" in text for text in marked(review, "against"))
    expect(page.locator(".legend")).to_have_text("Speaks for positive Speaks against positive")
    # The marks lie behind the very same text.
    assert page.locator(".marks").text_content() == TEXT + "\n"


def test_the_colours_turn_when_the_answer_turns(review: Any) -> None:
    editor = review.page.locator("textarea")
    editor.fill("A wonderful film, moving and superbly acted.")
    review.wait_for_answer("positive")
    expect(review.page.locator(".marks .for").first).to_be_attached()
    editor.fill("A wonderful film? Boring and dreadful, the worst waste of time.")
    review.wait_for_answer("negative")
    expect(review.page.locator(".legend .for")).to_have_text("Speaks for negative")
    assert any("wonderful" in text for text in marked(review, "against"))
    editor.fill("")
    expect(review.page.locator(".legend")).to_be_hidden()
    expect(review.page.locator(".marks mark")).to_have_count(0)


def test_the_version_that_is_chosen_explains(review: Any, catalog: Catalog) -> None:
    review.page.locator("textarea").fill(TEXT)
    review.wait_for_answer("positive")
    first = word_contributions(catalog.predictor("imdb", 1), TEXT)
    with review.page.expect_response(re.compile("versions/1/words")) as response:
        review.page.locator("#version").select_option("1")
    assert response.value.json()["words"][0]["word"] == first.words[0].word
    expect(review.page.locator(".strongest li").first).to_contain_text(first.words[0].word)


def test_marks_move_with_their_words_while_the_server_is_slow(review: Any) -> None:
    page = review.page
    page.locator("textarea").fill("A wonderful film, truly moving")
    expect(page.locator(".marks .for", has_text="wonderful")).to_be_attached()
    before = marked(review, "for")
    page.route("**/words*", lambda route: None)  # never answered
    page.locator("textarea").press("Home")
    page.keyboard.type("Yes! ")
    assert page.locator(".marks").text_content() == "Yes! A wonderful film, truly moving\n"
    assert marked(review, "for") == before
    assert "Yes" not in "".join(marked(review, "for") + marked(review, "against"))
    page.unroute_all(behavior="ignoreErrors")


def test_the_marks_scroll_with_a_long_text_and_break_lines_where_it_does(review: Any) -> None:
    page = review.page
    page.locator("textarea").fill("A wonderful and moving film with a dreadful ending.\n" * 60)
    expect(page.locator(".marks .for").first).to_be_attached()
    sizes = page.evaluate("""() => {
      const [marks, editor] = [document.querySelector(".marks"), document.querySelector("textarea")];
      editor.scrollTop = 500;
      return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve(
        [marks.clientWidth, editor.clientWidth, marks.scrollHeight, editor.scrollHeight, marks.scrollTop]))));
    }""")
    assert sizes[0] == sizes[1]
    assert abs(sizes[2] - sizes[3]) <= 2
    assert sizes[4] == 500
