"""Divides texts into sentences, and joins random neighbours of them to passages."""

import re
from collections.abc import Sequence

import numpy as np

from service.inference.errors import NoWords
from service.inference.preprocessing import Vocabulary
from service.inference.preprocessing.text import Ids

MAX_SENTENCES = 4
# A line break of HTML, or the space after the mark that ends a sentence and after quotes or brackets there.
_END = re.compile(r"""(?:<br\s*/?>\s*)+|(?<=[.!?])["')\]]*\s+""")


def split_sentences(text: str) -> list[str]:
    """Return the sentences of a text, without empty ones."""
    return [sentence for sentence in _END.split(text) if sentence.strip()]


def encode_sentences(text: str, vocabulary: Vocabulary) -> tuple[Ids, ...]:
    """Return the ids of each sentence of a text; sentences without a known word are left out."""
    encoded = []
    for sentence in split_sentences(text):
        try:
            encoded.append(vocabulary.encode(sentence))
        except NoWords:
            continue
    return tuple(encoded)


def random_passage(sentences: Sequence[Ids], rng: np.random.Generator) -> Ids:
    """Return the distinct ids of one to ``MAX_SENTENCES`` consecutive sentences of a text.

    Args:
        sentences: The ids of each sentence, at least one.
        rng: Chooses their number and the first one.

    Returns:
        int32 (n,), ascending.
    """
    count = min(int(rng.integers(1, MAX_SENTENCES + 1)), len(sentences))
    first = int(rng.integers(len(sentences) - count + 1))
    return np.unique(np.concatenate(sentences[first : first + count]))
