"""Turns texts into the ids of their distinct words and phrases."""

import html
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from service.inference.errors import InputTooLarge, ModelError, NoWords
from service.inference.files import model_file_name, write_atomically

PADDING = 0
PHRASE_MARK = "_"
# Words and phrases need many times the memory of their text, and tokenizing blocks the interpreter.
_MAX_CHARACTERS = 1_000_000
_TAG = re.compile(r"<[^<>]{0,200}>")
# html.unescape fails on numbers of thousands of digits; no character has a number of more than seven.
_INVALID_REFERENCE = re.compile(r"&#[0-9]{8,};?")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")

Ids = npt.NDArray[np.int32]


def tokenize(text: str) -> list[str]:
    """Split a text into its lower-case words, in order; HTML tags are removed."""
    marked = _INVALID_REFERENCE.sub(" ", _TAG.sub(" ", text))
    plain = html.unescape(marked).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    return _WORD.findall(plain.lower())


def locate_words(text: str) -> tuple[tuple[str, int, int], ...]:
    """Return the words of :func:`tokenize` with their start and end in the text.

    Words with character references such as ``&eacute;`` have other letters in the text; they are left out.
    """
    plain = _TAG.sub(lambda tag: " " * len(tag.group()), text).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    found, position = [], 0
    lower = plain.lower()
    if len(lower) != len(text):  # Some capitals have lower-case forms of two characters.
        return ()
    for word in tokenize(text):
        start = lower.find(word, position)
        if start >= 0:
            position = start + len(word)
            found.append((word, start, position))
    return tuple(found)


def phrases(text: str, *, longest: int) -> set[str]:
    """Return the distinct n-grams of a text, of one to ``longest`` words joined by ``_``."""
    words = tokenize(text)
    found = set(words)
    for length in range(2, longest + 1):
        found.update(
            PHRASE_MARK.join(words[start : start + length]) for start in range(len(words) - length + 1)
        )
    return found


class Vocabulary:
    """The words and phrases that a network knows; ``words`` has them in the order of their ids.

    Ids begin at 1; 0 is padding.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self.words = tuple(words)
        self._ids = {word: number for number, word in enumerate(self.words, start=1)}
        # Words do not contain the mark, so its count is the length of the phrase.
        self._longest = 1 + max((word.count(PHRASE_MARK) for word in self.words), default=0)

    @classmethod
    def read(cls, path: Path) -> "Vocabulary":
        """Read ``vocabulary.txt``, which has one word per line.

        Raises:
            ModelError: The file cannot be read.
        """
        try:
            return cls(path.read_text(encoding="utf-8").split())
        except (OSError, UnicodeDecodeError) as error:
            cause = error.strerror if isinstance(error, OSError) else error.reason
            raise ModelError(
                f"{model_file_name(path)}: cannot be read ({cause}); export the model again"
            ) from error

    def write(self, path: Path) -> None:
        """Write ``vocabulary.txt``, replacing it atomically."""
        write_atomically(path, ("\n".join(self.words) + "\n").encode())

    def encode(self, text: str) -> Ids:
        """Return the ids of the distinct known words and phrases of a text.

        Args:
            text: Plain text or HTML, at most a million characters.

        Returns:
            int32 array (n,), ascending, each from 1 to the number of words.

        Raises:
            InputTooLarge: The text is too long.
            NoWords: No word of the text is in the vocabulary.
        """
        if len(text) > _MAX_CHARACTERS:
            raise InputTooLarge(
                f"the text has {len(text)} characters, more than {_MAX_CHARACTERS}; send a shorter one"
            )
        known = self._ids
        ids = {known[phrase] for phrase in phrases(text, longest=self._longest) if phrase in known}
        if not ids:
            raise NoWords("the text has no word that the network knows; send a few words of English")
        return np.array(sorted(ids), dtype=np.int32)


def pad(rows: Sequence[Ids]) -> Ids:
    """Stack id arrays of different lengths into an int32 array (rows, longest), padded with 0."""
    batch = np.full((len(rows), max(map(len, rows))), PADDING, dtype=np.int32)
    for target, row in zip(batch, rows, strict=True):
        target[: len(row)] = row
    return batch
