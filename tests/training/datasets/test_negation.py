"""Short verdicts are negated by rule; what no rule fits is left alone."""

import pytest

from training.datasets.negation import negate


@pytest.mark.parametrize(
    ("sentence", "negated"),
    [
        ("it was boring", ["it was not boring", "it wasn't boring"]),
        ("you will enjoy it", ["you will not enjoy it", "you won't enjoy it"]),
        ("i can recommend it", ["i can not recommend it", "i can't recommend it"]),
        ("i liked it", ["i did not like it", "i didn't like it"]),
        ("we enjoyed this", ["we did not enjoy this", "we didn't enjoy this"]),
        ("i love this film", ["i do not love this film", "i don't love this film"]),
        ("very funny", ["not very funny"]),
    ],
)
def test_verdicts_are_negated(sentence: str, negated: list[str]) -> None:
    found = negate(sentence.split())

    assert found is not None
    assert list(found.forms) == negated
    assert found.of_opinion == (" do" in negated[0] or " did" in negated[0])


@pytest.mark.parametrize(
    "sentence",
    [
        "it was not boring",
        "it was slow but good",
        "i saw it twice",
        "it looked like this",
        "i watched it with friends",
        "a film of great beauty",  # no verb, and too long for a fragment
        "it was " + "very " * 10 + "good",
        "",
    ],
)
def test_other_sentences_are_left_alone(sentence: str) -> None:
    assert negate(sentence.split()) is None
