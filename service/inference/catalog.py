"""Owns the folder of models: which names and versions there are, and loading each once."""

import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from service.inference.card import Card, read_card
from service.inference.errors import CardError, ModelError, ModelNotFound
from service.inference.explain import Explainer
from service.inference.precision import PrecisionChoice, settle
from service.inference.predictor import Predictor
from service.inference.session import AUTO, runs_on_cpu

T = TypeVar("T")

BUNDLED = Path(__file__).resolve().parents[2] / "models"


class Catalog:
    """The models below one folder, laid out as ``<name>/<version>/``; safe to use from several threads."""

    def __init__(
        self,
        folder: Path = BUNDLED,
        *,
        providers: Sequence[str] = (AUTO,),
        threads: int = 1,
        precision: PrecisionChoice = "float32",
        arena: bool = False,
    ) -> None:
        """Read every card; networks are loaded when they are first asked for.

        Args:
            folder: Holds one folder per model, in each one per version.
            providers: Hardware, as :func:`service.inference.session.open_session` takes it.
            threads: Threads within one call of a network.
            precision: Which form of the networks, as :meth:`Predictor.load` takes it.
            arena: Keep memory between runs, as :meth:`Predictor.load` takes it.

        Raises:
            ModelError: The folder does not exist or holds no model.
            CardError: A card is missing, damaged, or lies in a folder of another name or version.
        """
        self._folder = folder
        self._providers = tuple(providers)
        self._threads = threads
        self._precision = precision
        self._arena = arena
        self._cards = _read_cards(folder)
        self._predictors: dict[tuple[str, int], Predictor] = {}
        self._explainers: dict[tuple[str, int], Explainer] = {}
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Card]:
        """Yield the default (highest) version's card of each model, by name."""
        return (self.card(name) for name in sorted(self._cards))

    def versions(self, name: str) -> tuple[int, ...]:
        """Return a model's versions, ascending.

        Raises:
            ModelNotFound: No such model.
        """
        if name not in self._cards:
            names = ", ".join(sorted(self._cards))
            raise ModelNotFound(f"there is no model {name[:40]!r}; there are {names}")
        return tuple(sorted(self._cards[name]))

    def card(self, name: str, version: int | None = None) -> Card:
        """Return a model's card.

        Args:
            name: The model.
            version: One of its versions; the highest if None.

        Raises:
            ModelNotFound: No such model or version.
        """
        versions = self.versions(name)
        wanted = versions[-1] if version is None else version
        if wanted not in versions:
            raise ModelNotFound(f"{name} has no version {wanted}; it has {', '.join(map(str, versions))}")
        return self._cards[name][wanted]

    def folder(self, card: Card) -> Path:
        """Return the folder that holds a card's files."""
        return self._folder / card.name / str(card.version)

    def predictor(self, name: str, version: int | None = None) -> Predictor:
        """Return a model, loading it the first time.

        Raises:
            ModelNotFound: No such model or version.
            ModelError: Its files cannot be loaded, or do not match the card.
            ProviderError: A provider that was asked for cannot be had.
        """
        load = partial(Predictor.load, precision=self._precision, arena=self._arena)
        return self._once(self._predictors, load, self.card(name, version))

    def precision(self, card: Card) -> PrecisionChoice:
        """Say in which precision a model runs; ``auto`` where that is measured when it is first asked for."""
        loaded = self._predictors.get((card.name, card.version))
        if loaded:
            return loaded.precision
        return settle(card, self._precision, on_cpu=runs_on_cpu(self._providers))

    def explainer(self, name: str, version: int | None = None) -> Explainer:
        """Return what explains a model's answers, loading it the first time.

        Raises:
            ModelNotFound: No such model or version.
            InvalidInput: The model reads texts, which are not explained.
            ModelError: Its files cannot be loaded, or do not match the card.
            ProviderError: A provider that was asked for cannot be had.
        """
        load = partial(Explainer.load, network=partial(self.predictor, name, version))
        return self._once(self._explainers, load, self.card(name, version))

    def _once(self, loaded: dict[tuple[str, int], T], load: Callable[..., T], card: Card) -> T:
        key = (card.name, card.version)
        # Looked up without the lock first, so that a model in use does not wait while another is loaded.
        if key in loaded:
            return loaded[key]
        with self._lock:
            if key not in loaded:
                loaded[key] = load(self.folder(card), card, providers=self._providers, threads=self._threads)
            return loaded[key]


def _read_cards(folder: Path) -> dict[str, dict[int, Card]]:
    if not folder.is_dir():
        raise ModelError(f"{folder}: no such folder; set LECTERN_MODELS to a folder of models")
    cards: dict[str, dict[int, Card]] = {}
    # A dot marks an export that is still being written.
    for path in sorted(folder.glob("[!.]*/[0-9]*/")):
        card = read_card(path / "card.json")
        if (card.name, str(card.version)) != (path.parent.name, path.name):
            raise CardError(
                f"{path / 'card.json'}: says {card.name} version {card.version}, "
                f"but lies in {path.parent.name}/{path.name}; rename the folder"
            )
        cards.setdefault(card.name, {})[card.version] = card
    if not cards:
        raise ModelError(f"{folder}: holds no models; train one, or set LECTERN_MODELS to a folder of models")
    return cards
