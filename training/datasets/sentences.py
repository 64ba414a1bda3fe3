"""Divides texts into sentences."""

import re

from service.inference.errors import NoWords
from service.inference.preprocessing import Vocabulary
from service.inference.preprocessing.text import Ids

# A line break of HTML, or the space after the mark that ends a sentence and after quotes or brackets there.
_END = re.compile(r"""(?:<br\s*/?>\s*)+|(?<=[.!?])["')\]]*\s+""")


def split_sentences(text: str) -> list[str]:
    """Return the sentences of a text, without empty ones."""
    return [sentence for sentence in _END.split(text) if sentence.strip()]


def encode_sentences(text: str, *, vocabulary: Vocabulary) -> tuple[Ids, ...]:
    """Return the ids of each sentence of a text; sentences without a known word are left out."""
    encoded = []
    for sentence in split_sentences(text):
        try:
            encoded.append(vocabulary.encode(sentence))
        except NoWords:
            continue
    return tuple(encoded)
