"""Tests of phrases."""

from pathlib import Path

from service.inference.preprocessing import Vocabulary, phrases


def test_phrases_are_n_grams() -> None:
    assert phrases("Not good. Not<br />good!", longest=2) == {"not", "good", "not_good", "good_not"}
    assert phrases("a b c", longest=3) == {"a", "b", "c", "a_b", "b_c", "a_b_c"}


def test_vocabulary_with_phrases_finds_them(tmp_path: Path) -> None:
    Vocabulary(["good", "not_good", "very_good_film"]).write(tmp_path / "vocabulary.txt")
    vocabulary = Vocabulary.read(tmp_path / "vocabulary.txt")

    assert vocabulary.encode("It is not good.").tolist() == [1, 2]
    assert vocabulary.encode("A very good film").tolist() == [1, 3]
    assert vocabulary.encode("good, not").tolist() == [1]
