"""Finds the words of a text, and what they and the pairs of neighbours add to its prediction."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock

from desktop.explain.backend import ExplanationBackend
from desktop.lab.words.contributions import Contributions, WordRunner
from service.inference import Card
from service.inference.preprocessing import Vocabulary
from service.inference.preprocessing.text import PHRASE_MARK

_KEPT_RUNNERS = 2


@dataclass(frozen=True)
class Span:
    """A part of the text that adds something: a word, or the space between the words of a pair.

    Attributes:
        start: Its first character.
        end: The character after its last one.
        value: What the word or the pair adds.
    """

    start: int
    end: int
    value: float


@dataclass(frozen=True, eq=False)
class Analysis:
    """What the words of a text add to its prediction.

    Attributes:
        card: Card of the network.
        text: The text.
        contributions: The values of all words and phrases.
        terms: Each word or phrase with what it adds, the strongest first.
        spans: The parts of the text to colour, in order.
        score: Probability of the second label.
    """

    card: Card
    text: str
    contributions: Contributions
    terms: tuple[tuple[str, float], ...]
    spans: tuple[Span, ...]
    score: float


class WordAnalyst:
    """Analyses texts with the networks for texts; several threads can use it at once."""

    def __init__(self, backend: ExplanationBackend) -> None:
        """Initialize without loading anything.

        Args:
            backend: Provides the models.
        """
        self._backend = backend
        self._lock = Lock()
        self._loaded: OrderedDict[tuple[str, int], tuple[WordRunner, Vocabulary]] = OrderedDict()

    def models(self) -> tuple[Card, ...]:
        """Return the cards of all networks that read sets of words; errors as for the backend's."""
        return tuple(
            card for card in self._backend.models("text-classification") if card.input.preprocessing == "text"
        )

    def analyse(self, model: Card, text: str) -> Analysis:
        """Return what each word of a text adds; slow, so not for the GUI thread.

        Raises:
            LecternError: The network cannot be loaded, or the text has no known word or too many.
        """
        ids = self._backend.prepare_text(model, text)
        runner, vocabulary = self._load(model)
        found = runner.explain(ids)
        names = [vocabulary.words[number - 1] for number in found.ids]
        values = dict(zip(names, (float(value) for value in found.values), strict=True))
        terms = sorted(values.items(), key=lambda term: -abs(term[1]))
        score = float(self._backend.scores(model, ids)[-1])
        spans = find_spans(vocabulary.located_words(text), values)
        return Analysis(model, text, found, tuple(terms), spans, score)

    def _load(self, model: Card) -> tuple[WordRunner, Vocabulary]:
        key = (model.name, model.version)
        with self._lock:
            loaded = self._loaded.get(key)
            if loaded is None or loaded[0].card is not model:
                folder = self._backend.folder(model)
                loaded = WordRunner.load(folder, model), Vocabulary.read(folder / "vocabulary.txt")
                self._loaded[key] = loaded
            self._loaded.move_to_end(key)
            while len(self._loaded) > _KEPT_RUNNERS:
                self._loaded.popitem(last=False)
            return loaded


def find_spans(words: Iterable[tuple[str, int, int]], values: dict[str, float]) -> tuple[Span, ...]:
    """Return the words of a text that add something, and the spaces between the words of such pairs.

    Args:
        words: The words of the text with their places, as a vocabulary locates them.
        values: What words, and phrases of words joined by ``_``, add.
    """
    spans = []
    before: tuple[str, int] | None = None
    for word, start, end in words:
        if before is not None:
            pair = f"{before[0]}{PHRASE_MARK}{word}"
            if pair in values:
                spans.append(Span(before[1], start, values[pair]))
        if word in values:
            spans.append(Span(start, end, values[word]))
        before = (word, end)
    return tuple(spans)
