"""Turns texts into the ids of their words and phrases, and finds these in the text."""

import html
import re
from collections.abc import Iterable, Sequence
from itertools import islice, takewhile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from service.inference.errors import InputTooLarge, ModelError, NoWords
from service.inference.files import model_file_name, open_regular, write_atomically

PADDING = 0
PHRASE_MARK = "_"
NEGATION_MARK = "!"
# A negation reaches the next words, up to a word that begins something else.
NEGATIONS = frozenset(
    [
        *("cannot", "hardly", "neither", "never", "no", "nor", "not", "nothing", "without"),
        *("ain't", "aren't", "can't", "couldn't", "didn't", "doesn't", "don't", "hadn't", "hasn't"),
        *("haven't", "isn't", "shouldn't", "wasn't", "weren't", "won't", "wouldn't"),
    ]
)
CONTRASTS = frozenset({"although", "and", "because", "but", "however", "only", "or", "though"})
_NEGATED_WORDS = 3
# Words and phrases need many times the memory of their text, and tokenizing blocks the interpreter.
MAX_CHARACTERS = 1_000_000
_TAG = re.compile(r"<[^<>]{0,200}>")
# html.unescape fails on numbers of thousands of digits; no character has a number of more than seven.
_INVALID_REFERENCE = re.compile(r"&#[0-9]{8,};?")
# What stands for other characters: a tag, or a character reference of HTML 5, as html.unescape finds it.
_MARKUP = re.compile(
    rf"{_TAG.pattern}|{_INVALID_REFERENCE.pattern}"
    r"|(?P<reference>&(?:#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?))"
)
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_NO_WORDS = "the text has no word that the network knows; send a few words of English"

Ids = npt.NDArray[np.int32]
Span = tuple[int, int]


def tokenize(text: str) -> list[str]:
    """Split a text into its lower-case words, in order; HTML tags are removed."""
    marked = _INVALID_REFERENCE.sub(" ", _TAG.sub(" ", text))
    return _WORD.findall(_normalize(html.unescape(marked)))


def locate_words(text: str) -> list[tuple[str, int, int]]:
    """Return the words of :func:`tokenize`, each with the place that it has in the text.

    Returns:
        Word, start and end for each, in order; start and end count code points, and the end is exclusive.
    """
    plain: list[str] = []
    origins: list[tuple[int, int]] = []  # for each character of the plain text in lower case
    place = 0

    def add(piece: str, start: int, end: int | None = None) -> None:
        """Append a piece; each of its characters has its own place, or all have the place up to ``end``."""
        plain.append(piece)
        for offset, character in enumerate(piece, start=start):
            origin = (offset, offset + 1) if end is None else (start, end)
            origins.extend([origin] * len(character.lower()))  # some letters become two characters

    for match in _MARKUP.finditer(text):
        add(text[place : match.start()], place)
        reference = match["reference"] or ""
        plain_text = html.unescape(reference) if reference else " "
        # What follows a reference without a semicolon, as in "&notgood", stands for itself.
        same = _common_suffix(reference, plain_text)
        place = match.end() - same
        add(plain_text[: len(plain_text) - same], match.start(), place)
    add(text[place:], place)
    words = _WORD.finditer(_normalize("".join(plain)))
    return [(word[0], origins[word.start()][0], origins[word.end() - 1][1]) for word in words]


def mark_negated(words: Iterable[str]) -> list[str]:
    """Put ``!`` before each word that a negation reaches, as Pang, Lee and Vaithyanathan 2002 do.

    Args:
        words: The words of :func:`tokenize`; a negation reaches three words, or those before a word such as
            "but".
    """
    marked, reached = [], 0
    for word in words:
        if word in NEGATIONS:
            marked.append(word)
            reached = _NEGATED_WORDS
            continue
        if word in CONTRASTS:
            reached = 0
        marked.append(NEGATION_MARK + word if reached > 0 else word)
        reached -= 1
    return marked


def phrases(text: str, *, longest: int, negation: bool = False) -> set[str]:
    """Return the distinct n-grams of a text, of one to ``longest`` words joined by ``_``.

    Args:
        text: Plain text or HTML.
        longest: Largest number of words.
        negation: Whether negated words are marked; see :func:`mark_negated`.
    """
    words = mark_negated(tokenize(text)) if negation else tokenize(text)
    found = set(words)
    for length in range(2, longest + 1):
        found.update(
            PHRASE_MARK.join(words[start : start + length]) for start in range(len(words) - length + 1)
        )
    return found


def spelling(entry: str) -> str:
    """Return a word or phrase of a vocabulary for people; a negated word alone has "not" before it."""
    words = entry.replace(NEGATION_MARK, "").replace(PHRASE_MARK, " ")
    return f"not … {words}" if entry.startswith(NEGATION_MARK) else words


class Vocabulary:
    """The words and phrases that a network knows; ``words`` has them in the order of their ids.

    Ids begin at 1; 0 is padding.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self.words = tuple(words)
        self._ids = {word: number for number, word in enumerate(self.words, start=1)}
        # Words do not contain the mark, so its count is the length of the phrase.
        self._max_phrase_words = 1 + max((word.count(PHRASE_MARK) for word in self.words), default=0)
        self._negation = any(NEGATION_MARK in word for word in self.words)

    @classmethod
    def read(cls, path: Path) -> "Vocabulary":
        """Read ``vocabulary.txt``, which has one word per line.

        Raises:
            ModelError: The file cannot be read.
        """
        try:
            with open_regular(path) as stream:
                return cls(stream.read().decode().split())
        except (OSError, UnicodeDecodeError) as error:
            cause = error.strerror if isinstance(error, OSError) else error.reason
            raise ModelError(
                f"{model_file_name(path)}: cannot be read ({cause}); export the model again"
            ) from error

    def write(self, path: Path) -> None:
        """Write ``vocabulary.txt``, replacing it atomically."""
        write_atomically(path, ("\n".join(self.words) + "\n").encode())

    def encode(self, text: str, *, length: int | None = None) -> Ids:
        """Return the ids of the known words of a text: the distinct ones and phrases, or a sequence.

        Args:
            text: Plain text or HTML, at most a million characters.
            length: Largest number of words of a sequence. None stands for the distinct words and phrases.

        Returns:
            int32 array (n,), each from 1 to the number of words. With ``length`` the ids of the first known
            words in the order of the text, otherwise distinct ids, ascending.

        Raises:
            InputTooLarge: The text is too long.
            NoWords: No word of the text is in the vocabulary.
        """
        self._check_length(text)
        known = self._ids
        if length is None:
            found = phrases(text, longest=self._max_phrase_words, negation=self._negation)
            ids = sorted(known[phrase] for phrase in found if phrase in known)
        else:
            ids = list(islice((known[word] for word in tokenize(text) if word in known), length))
        if not ids:
            raise NoWords(_NO_WORDS)
        return np.array(ids, dtype=np.int32)

    def locate(self, text: str, *, length: int | None = None) -> dict[int, list[Span]]:
        """Return the places of the words and phrases whose ids :meth:`encode` returns.

        Args:
            text: As for :meth:`encode`.
            length: As for :meth:`encode`.

        Returns:
            The distinct ids, each with its places in order. A place is start and end in code points;
            that of a phrase reaches from its first word to its last.

        Raises:
            InputTooLarge: The text is too long.
            NoWords: No word of the text is in the vocabulary.
        """
        self._check_length(text)
        words = self.located_words(text)
        if length is not None:
            words = list(islice((word for word in words if word[0] in self._ids), length))
        places: dict[int, list[Span]] = {}
        for count in range(1, 1 + (self._max_phrase_words if length is None else 1)):
            for first in range(len(words) - count + 1):
                chosen = words[first : first + count]
                number = self._ids.get(PHRASE_MARK.join(word for word, _, _ in chosen))
                if number is not None:
                    places.setdefault(number, []).append((chosen[0][1], chosen[-1][2]))
        if not places:
            raise NoWords(_NO_WORDS)
        return places

    def located_words(self, text: str) -> list[tuple[str, int, int]]:
        """Return the words of :func:`locate_words`, with marks of negation if the vocabulary has them."""
        words = locate_words(text)
        if not self._negation:
            return words
        marked = mark_negated(word for word, _, _ in words)
        return [(word, start, end) for word, (_, start, end) in zip(marked, words, strict=True)]

    def _check_length(self, text: str) -> None:
        if len(text) > MAX_CHARACTERS:
            raise InputTooLarge(
                f"the text has {len(text)} characters, more than {MAX_CHARACTERS}; send a shorter one"
            )


def _common_suffix(one: str, other: str) -> int:
    """Return the number of characters that two texts have in common at their ends."""
    pairs = zip(reversed(one), reversed(other), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _normalize(plain: str) -> str:
    return plain.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").lower()


def pad(rows: Sequence[Ids]) -> Ids:
    """Stack id arrays of different lengths into an int32 array (rows, longest), padded with 0."""
    batch = np.full((len(rows), max(map(len, rows))), PADDING, dtype=np.int32)
    for target, row in zip(batch, rows, strict=True):
        target[: len(row)] = row
    return batch
