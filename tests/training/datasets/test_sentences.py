"""Texts are divided at the ends of sentences and at line breaks."""

import pytest

from service.inference.preprocessing import Vocabulary
from training.datasets.sentences import encode_sentences, split_sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("A break.<br /><br />Another<br>line", ["A break.", "Another", "line"]),
        ('He said "no." Then (it ended.) So', ['He said "no.', "Then (it ended.", "So"]),
        ("It costs 3.50 and is o.k. for me", ["It costs 3.50 and is o.k.", "for me"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_sentences_are_found(text: str, sentences: list[str]) -> None:
    assert split_sentences(text) == sentences


def test_sentences_without_a_known_word_are_left_out() -> None:
    vocabulary = Vocabulary(["good", "film", "good_film"])

    found = encode_sentences("A good film. Xyzzy! The film.", vocabulary=vocabulary)

    assert [sentence.ids.tolist() for sentence in found] == [[1, 2, 3], [2]]


def test_short_sentences_are_negated() -> None:
    vocabulary = Vocabulary(["it", "i", "like", "was", "good", "not", "did", "!like", "!good", "liked"])

    found = encode_sentences(f"It was good. I liked it. It was {'very ' * 20}good.", vocabulary=vocabulary)

    words = [[[vocabulary.words[number - 1] for number in ids] for ids in one.negations] for one in found]
    # The form with "wasn't" has no "not", but the mark of a negated word.
    assert words == [
        [["it", "was", "not", "!good"], ["it", "!good"]],
        [["i", "not", "did", "!like"], ["i", "!like"]],
        [],
    ]
    assert [sentence.of_opinion for sentence in found] == [False, True, False]
