"""Tests where the coloured parts of a text lie."""

import itertools

from desktop.lab.words.analysis import Span, find_spans
from service.inference.preprocessing import locate_words


def test_words_and_the_spaces_of_pairs() -> None:
    text = "Not  bad, <b>not</b>\nBAD"
    values = {"not": -1.0, "bad": -2.0, "not_bad": 3.0}
    spans = find_spans(locate_words(text), values)
    assert [(text[span.start : span.end], span.value) for span in spans] == [
        ("Not", -1), ("  ", 3), ("bad", -2), ("not", -1), ("</b>\n", 3), ("BAD", -2),
    ]  # fmt: skip
    assert all(one.end <= other.start for one, other in itertools.pairwise(spans))


def test_unknown_words_have_no_colour_and_break_no_pair_of_others() -> None:
    assert find_spans(locate_words("good zzz film"), {"good": 1.0, "film": 0.5, "good_film": 2.0}) == (
        Span(0, 4, 1.0), Span(9, 13, 0.5),
    )  # fmt: skip
    assert find_spans(locate_words(""), {"good": 1.0}) == ()
