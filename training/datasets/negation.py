"""Negates short sentences, so that a network learns what a negation does to a verdict."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.inference.preprocessing.text import CONTRASTS, NEGATIONS

# Of longer sentences, a negation often reaches something else than the verdict.
MAX_WORDS = 12
_FRAGMENT_WORDS = 3  # so many words without a verb are a verdict, such as "very funny"
_SUBJECTS = frozenset(
    ["audience", "everyone", "he", "i", "it", "kids", "people", "she", "they", "viewers", "we", "you"]
)
_AUXILIARIES = frozenset(["are", "can", "could", "is", "should", "was", "were", "will", "would"])
_SHORT_FORMS = {"can": "can't", "will": "won't"}  # the others end in "n't"
# Positive opinions of someone, with the auxiliary and the infinitive of their negation.
_VERBS = {
    form: (auxiliary, infinitive)
    for infinitive, past in (
        ("admire", "admired"),
        ("appreciate", "appreciated"),
        ("enjoy", "enjoyed"),
        ("like", "liked"),
        ("love", "loved"),
        ("recommend", "recommended"),
    )
    for form, auxiliary in ((infinitive, "do"), (past, "did"))
}


@dataclass(frozen=True)
class Negation:
    """A sentence with "not", and with "n't" if it has a verb."""

    forms: tuple[str, ...]
    of_opinion: bool = False  # whether it was a positive opinion, as in "did not like"


def negate(words: Sequence[str]) -> Negation | None:
    """Negate a sentence by rule.

    Args:
        words: The words of a sentence, in lower case.

    Returns:
        None if the sentence is too long, has a negation or a contrast, or if no rule fits.
    """
    if not 1 <= len(words) <= MAX_WORDS or not (NEGATIONS | CONTRASTS).isdisjoint(words):
        return None
    for place, word in enumerate(words[:-1]):
        before, after = words[:place], words[place + 1 :]
        if word in _AUXILIARIES:
            short = _SHORT_FORMS.get(word, f"{word}n't")
            return Negation((_join(before, word, "not", after), _join(before, short, after)))
        if place and words[place - 1] in _SUBJECTS and word in _VERBS:
            auxiliary, infinitive = _VERBS[word]
            forms = (
                _join(before, auxiliary, "not", infinitive, after),
                _join(before, f"{auxiliary}n't", infinitive, after),
            )
            return Negation(forms, of_opinion=True)
    return Negation((_join("not", words),)) if len(words) <= _FRAGMENT_WORDS else None


def _join(*parts: str | Sequence[str]) -> str:
    return " ".join(part if isinstance(part, str) else " ".join(part) for part in parts if part)
