"""Tests of tokenizing, vocabularies and padding."""

import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.inference.errors import InputTooLarge, ModelError, NoWords
from service.inference.preprocessing import Vocabulary, locate_words, pad, phrases, tokenize
from service.inference.preprocessing.text import mark_negated, spelling


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A good film.", ["a", "good", "film"]),
        ("good<br /><br />Bad", ["good", "bad"]),
        ("<b>Bold</b><i>ly</i> gone", ["bold", "ly", "gone"]),
        ("5 > 3, 3 < 5", ["5", "3", "3", "5"]),
        ("R&amp;B &lt;3 caf&eacute; &#39;90s", ["r", "b", "3", "café", "90s"]),
        ("don't can’t o'clock'", ["don't", "can't", "o'clock"]),
        ("'quoted' ''twice''", ["quoted", "twice"]),
        ("snake_case and-dash", ["snake", "case", "and", "dash"]),
        ("7/10 — it's 3.5 stars", ["7", "10", "it's", "3", "5", "stars"]),
        ("STRASSE Ünïcode фильм 映画", ["strasse", "ünïcode", "фильм", "映画"]),
        ("tab\tnew\nline\u00a0hard\u2028end", ["tab", "new", "line", "hard", "end"]),
        ("null\x00byte \ud800 half", ["null", "byte", "half"]),
        ("&#0; &#xD800; &#99999999; &#" + "9" * 5000 + ";ok", ["ok"]),
        ("", []),
        ("?!... 😀 <br />", []),
    ],
)
def test_tokenize_finds_words(text: str, words: list[str]) -> None:
    assert tokenize(text) == words


@given(
    st.lists(
        st.sampled_from(
            ["good", "İstanbul", "ΣΑΣ", "<br/>", "<", ">", "&amp;", "&eacute;", "&#39;", "&#x41b", "&", "#",
             ";", "&#99999999;", "’", "'", " ", "\n", "_", "😀", "&nbsp", "ﬁne", "7"]
        )
    ).map("".join)
    | st.text()
)  # fmt: skip
def test_located_words_are_those_of_tokenize(text: str) -> None:
    located = locate_words(text)
    assert [word for word, _, _ in located] == tokenize(text)
    assert all(0 <= start < end <= len(text) for _, start, end in located)
    ends = [0, *(end for _, _, end in located)]
    assert all(end <= start for end, (_, start, _) in zip(ends, located, strict=False))


def test_words_are_located_in_the_text_as_it_was_written() -> None:
    text = "İ 😀 <b>Caf&eacute;</b> &#39;WAS&#39; don’t"
    assert [(word, text[start:end]) for word, start, end in locate_words(text)] == [
        ("i", "İ"), ("café", "Caf&eacute;"), ("was", "WAS"), ("don't", "don’t"),
    ]  # fmt: skip


def test_a_vocabulary_locates_what_it_encodes() -> None:
    vocabulary = Vocabulary(["good", "film", "not_good", "a_good_film"])
    text = "Not <i>good</i>, a good film. A GOOD film!"
    places = vocabulary.locate(text)
    assert sorted(places) == vocabulary.encode(text).tolist()
    found = {
        vocabulary.words[number - 1]: [text[slice(*span)] for span in spans]
        for number, spans in places.items()
    }
    assert found == {
        "good": ["good", "good", "GOOD"],
        "film": ["film", "film"],
        "not_good": ["Not <i>good"],
        "a_good_film": ["a good film", "A GOOD film"],
    }
    with pytest.raises(NoWords):
        vocabulary.locate("Kein Wort davon")
    with pytest.raises(InputTooLarge):
        vocabulary.locate("good " * 200_001)


@pytest.mark.parametrize("unit", ["<", "<a", "&", "&#", "&amp", "'", "a'", "<b>x</b>", "word ", "'a<&"])
def test_hostile_texts_take_no_longer_than_other_texts(unit: str) -> None:
    started = time.perf_counter()
    tokenize(unit * (300_000 // len(unit)))
    locate_words(unit * (300_000 // len(unit)))
    assert time.perf_counter() - started < 5


@pytest.fixture
def vocabulary() -> Vocabulary:
    return Vocabulary(["the", "film", "was", "it's", "café"])


def test_encode_returns_ascending_ids_of_distinct_known_words(vocabulary: Vocabulary) -> None:
    ids = vocabulary.encode("It’s THE film, the <i>Café</i> film of films!")
    assert ids.tolist() == [1, 2, 4, 5]
    assert ids.dtype == np.int32


def test_sequence_has_the_first_known_words_in_their_order(vocabulary: Vocabulary) -> None:
    text = "It’s THE film, the <i>Café</i> film of films!"

    assert vocabulary.encode(text, length=9).tolist() == [4, 1, 2, 1, 5, 2]
    assert vocabulary.encode(text, length=3).tolist() == [4, 1, 2]
    places = vocabulary.locate(text, length=4)
    assert {number: [text[slice(*span)] for span in spans] for number, spans in places.items()} == {
        4: ["It’s"],
        1: ["THE", "the"],
        2: ["film"],
    }
    with pytest.raises(NoWords):
        vocabulary.encode("unknown words", length=3)


@pytest.mark.parametrize("text", ["", "   ", "films", "?!", "<film>", "unknown words only"])
def test_text_without_a_known_word_is_rejected(vocabulary: Vocabulary, text: str) -> None:
    with pytest.raises(NoWords, match="no word"):
        vocabulary.encode(text)


def test_text_of_more_than_a_million_characters_is_rejected(vocabulary: Vocabulary) -> None:
    assert vocabulary.encode("film " * 200_000).tolist() == [2]
    with pytest.raises(InputTooLarge, match="1000001 characters, more than 1000000"):
        vocabulary.encode("film " * 200_000 + "!")


def test_vocabulary_survives_writing_and_reading(vocabulary: Vocabulary, tmp_path: Path) -> None:
    vocabulary.write(tmp_path / "vocabulary.txt")
    assert Vocabulary.read(tmp_path / "vocabulary.txt").words == vocabulary.words
    assert (tmp_path / "vocabulary.txt").read_text(encoding="utf-8").splitlines()[4] == "café"


def test_unreadable_vocabulary_is_reported(tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9\n")
    for name in ("missing.txt", "latin.txt"):
        with pytest.raises(ModelError, match=name):
            Vocabulary.read(tmp_path / name)


def test_rows_are_padded_with_zeros_to_the_longest() -> None:
    rows = [np.array(ids, dtype=np.int32) for ids in ([3], [1, 2, 4], [2, 5])]
    batch = pad(rows)
    assert batch.tolist() == [[3, 0, 0], [1, 2, 4], [2, 5, 0]]
    assert batch.dtype == np.int32


def test_phrases_are_n_grams() -> None:
    assert phrases("Not good. Not<br />good!", longest=2) == {"not", "good", "not_good", "good_not"}
    assert phrases("a b c", longest=3) == {"a", "b", "c", "a_b", "b_c", "a_b_c"}


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("This film is not bad at all, really", "this film is not !bad !at !all really"),
        ("I didn't like it but loved her", "i didn't !like !it but loved her"),
        ("Never boring and never not funny", "never !boring and never not !funny"),
        ("It’s good", "it's good"),
    ],
)
def test_negated_words_are_marked(text: str, marked: str) -> None:
    assert mark_negated(tokenize(text)) == marked.split()


def test_vocabulary_with_negated_words_tells_them_from_others() -> None:
    vocabulary = Vocabulary(["good", "!good", "not_!good", "film"])

    assert vocabulary.encode("A good film").tolist() == [1, 4]
    assert vocabulary.encode("A film that is not good").tolist() == [2, 3, 4]
    text = "Not <i>good</i>, but a good film"
    places = vocabulary.locate(text)
    assert sorted(places) == vocabulary.encode(text).tolist()
    found = {number: [text[slice(*span)] for span in spans] for number, spans in places.items()}
    assert found == {1: ["good"], 2: ["good"], 3: ["Not <i>good"], 4: ["film"]}
    assert [spelling(word) for word in vocabulary.words] == ["good", "not … good", "not good", "film"]


def test_vocabulary_with_phrases_finds_them(tmp_path: Path) -> None:
    Vocabulary(["good", "not_good", "very_good_film"]).write(tmp_path / "vocabulary.txt")
    vocabulary = Vocabulary.read(tmp_path / "vocabulary.txt")

    assert vocabulary.encode("It is not good.").tolist() == [1, 2]
    assert vocabulary.encode("A very good film").tolist() == [1, 3]
    assert vocabulary.encode("good, not").tolist() == [1]
