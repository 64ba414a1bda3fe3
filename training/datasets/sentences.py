"""Divides texts into sentences, and encodes these and their negations."""

import re

from service.inference.errors import NoWords
from service.inference.preprocessing import Vocabulary
from service.inference.preprocessing.text import Ids, tokenize
from training.datasets.negation import MAX_WORDS, Negation, negate
from training.networks.sentence import Sentence

# A line break of HTML, or the space after the mark that ends a sentence and after quotes or brackets there.
_END = re.compile(r"""(?:<br\s*/?>\s*)+|(?<=[.!?])["')\]]*\s+""")


def split_sentences(text: str) -> list[str]:
    """Return the sentences of a text, without empty ones."""
    return [sentence for sentence in _END.split(text) if sentence.strip()]


def encode_sentences(text: str, *, vocabulary: Vocabulary) -> tuple[Sentence, ...]:
    """Return the sentences of a text, encoded; those without a known word are left out."""
    encoded = []
    for sentence in split_sentences(text):
        if (ids := _encode(sentence, vocabulary)) is None:
            continue
        # Long sentences are not negated, and splitting all into words again would take as long as encoding.
        words = tokenize(sentence) if sentence.count(" ") < MAX_WORDS else []
        negation = negate(words) or Negation(())
        forms = (_encode(form, vocabulary) for form in negation.forms)
        encoded.append(
            Sentence(ids, tuple(form for form in forms if form is not None), of_opinion=negation.of_opinion)
        )
    return tuple(encoded)


def _encode(sentence: str, vocabulary: Vocabulary) -> Ids | None:
    try:
        return vocabulary.encode(sentence)
    except NoWords:
        return None
