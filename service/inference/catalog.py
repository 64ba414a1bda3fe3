"""Lists the models of a folder and loads each of them once."""

import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from service.inference.card import Card, read_card
from service.inference.defaults import BUNDLED as BUNDLED
from service.inference.errors import CardError, ModelError, ModelNotFound, shorten
from service.inference.explain import Explainer
from service.inference.precision import PrecisionChoice, resolve_precision
from service.inference.predictor import Predictor
from service.inference.session import AUTO, runs_on_cpu

T = TypeVar("T")


class Catalog:
    """The models of a folder with the layout ``<name>/<version>/``; several threads can use it at once."""

    def __init__(
        self,
        folder: Path = BUNDLED,
        *,
        providers: Sequence[str] = (AUTO,),
        threads: int = 1,
        precision: PrecisionChoice = "float32",
        arena: bool = False,
    ) -> None:
        """Read the cards of all models; a network is loaded when it is first used.

        Args:
            folder: Folder of the models.
            providers: As in :func:`service.inference.session.open_session`.
            threads: Number of threads within one run of a network.
            precision: As in :meth:`Predictor.load`.
            arena: As in :meth:`Predictor.load`.

        Raises:
            ModelError: The folder does not exist or contains no model.
            CardError: A card is missing or invalid, or is in a folder of another name or version.
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
        """Yield the card of each model's default version, the highest one, sorted by name."""
        return (self.card(name) for name in sorted(self._cards))

    def versions(self, name: str) -> tuple[int, ...]:
        """Return the versions of a model, ascending.

        Raises:
            ModelNotFound: There is no such model.
        """
        if name not in self._cards:
            names = ", ".join(sorted(self._cards))
            raise ModelNotFound(f"there is no model {shorten(name)}; there are {names}")
        return tuple(sorted(self._cards[name]))

    def card(self, name: str, version: int | None = None) -> Card:
        """Return the card of a model.

        Args:
            name: Name of the model.
            version: Version of the model; the highest if None.

        Raises:
            ModelNotFound: There is no such model or version.
        """
        versions = self.versions(name)
        version = versions[-1] if version is None else version
        if version not in versions:
            raise ModelNotFound(
                f"{name} has no version {shorten(version)}; it has {', '.join(map(str, versions))}"
            )
        return self._cards[name][version]

    def folder(self, card: Card) -> Path:
        """Return the folder of a card's files."""
        return self._folder / card.name / str(card.version)

    def predictor(self, name: str, version: int | None = None) -> Predictor:
        """Return the predictor of a model, which is loaded at the first call.

        Raises:
            ModelNotFound: There is no such model or version.
            ModelError: Its files cannot be loaded, or do not match the card.
            ProviderError: A requested provider is not available.
        """
        load = partial(Predictor.load, precision=self._precision, arena=self._arena)
        return self._load_once(self._predictors, load, self.card(name, version))

    def precision(self, card: Card) -> PrecisionChoice:
        """Return the precision of a model; ``auto`` if it will be measured when the model is loaded."""
        loaded = self._predictors.get((card.name, card.version))
        if loaded:
            return loaded.precision
        return resolve_precision(card, self._precision, on_cpu=runs_on_cpu(self._providers))

    def explainer(self, name: str, version: int | None = None) -> Explainer:
        """Return the explainer of a model, which is loaded at the first call.

        Raises:
            ModelNotFound: There is no such model or version.
            InvalidInput: The model reads texts; only predictions for pictures are explained.
            ModelError: Its files cannot be loaded, or do not match the card.
            ProviderError: A requested provider is not available.
        """
        load = partial(Explainer.load, network=partial(self.predictor, name, version))
        return self._load_once(self._explainers, load, self.card(name, version))

    def _load_once(self, loaded: dict[tuple[str, int], T], load: Callable[..., T], card: Card) -> T:
        key = (card.name, card.version)
        # First without the lock, so that a loaded model is available while another one is being loaded.
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
    # Folders whose name begins with a dot are exports in progress.
    for path in sorted(folder.glob("[!.]*/[0-9]*/")):
        card = read_card(path / "card.json")
        if (card.name, str(card.version)) != (path.parent.name, path.name):
            raise CardError(
                f"{path / 'card.json'}: says {card.name} version {card.version}, "
                f"but is in {path.parent.name}/{path.name}; rename the folder"
            )
        cards.setdefault(card.name, {})[card.version] = card
    if not cards:
        raise ModelError(f"{folder}: holds no models; train one, or set LECTERN_MODELS to a folder of models")
    return cards
