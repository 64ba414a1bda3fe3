"""Reads the versions of one model from its folder, and loads each of them once."""

import dataclasses
import logging
import re
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from service.inference.card import Card
from service.inference.errors import ModelError, ModelNotFound, shorten
from service.inference.explain import FILE_NAME as EXPLANATION_FILE
from service.inference.explain import Explainer
from service.inference.files import check_sha256
from service.inference.precision import PrecisionChoice, resolve_precision
from service.inference.predictor import Predictor
from service.inference.repository.cards import read_cards, read_declared, without_traceback
from service.inference.repository.default_version import DEFAULT_FILE
from service.inference.session import AUTO, runs_on_cpu
from service.inference.tensorrt import DEFAULT_TENSORRT, TensorRT, without_tensorrt

T = TypeVar("T")

_NUMBER = re.compile(r"[1-9][0-9]*")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LoadOptions:
    """How networks are loaded; the fields are the arguments of :meth:`Predictor.load`."""

    providers: tuple[str, ...] = (AUTO,)
    threads: int = 1
    precision: PrecisionChoice = "float32"
    arena: bool = False
    tensorrt: TensorRT = DEFAULT_TENSORRT


class Model:
    """The versions of one model; several threads can use it at once.

    A version that cannot be used is a problem of the model, and does not keep the others from being used.

    Attributes:
        name: Name of the model, which is the folder's.
        default: The version for requests that name none: :attr:`preferred`, until :meth:`check` finds that it
            cannot be used.
    """

    def __init__(
        self, folder: Path, options: LoadOptions, *, versions: Collection[int] | None = None
    ) -> None:
        """Read the cards; a network is loaded when it is first used.

        Args:
            folder: Holds a folder for each version.
            options: How networks are loaded.
            versions: The versions to use; all if None.
        """
        self.name = folder.name
        self._folder = folder
        self._options = options
        self._cards, self._problems = read_cards(folder, versions)
        self._declared, self._default_problem = read_declared(folder)
        self.default = self.preferred
        self._predictors: dict[int, Predictor] = {}
        self._explainers: dict[int, Explainer] = {}
        self._lock = threading.Lock()
        self._logged: set[str] = set()

    @property
    def versions(self) -> tuple[int, ...]:
        """The versions that can be used, ascending."""
        return tuple(sorted(self._cards))

    @property
    def numbers(self) -> tuple[int, ...]:
        """All versions in the folder, ascending, with those that cannot be used."""
        broken = (int(text) for text in self.problems if _NUMBER.fullmatch(text))
        return tuple(sorted({*self._cards, *broken}))

    @property
    def preferred(self) -> int:
        """The version that should be the default, whether it can be used or not; 0 if there is none.

        It is the one that the folder declares (``repository.default_version``), else the highest.
        """
        numbers = self.numbers
        return self._declared if self._declared in numbers else max(numbers, default=0)

    @property
    def loaded(self) -> Mapping[int, Predictor]:
        """The predictors that are loaded, by version."""
        return self._predictors

    @property
    def problems(self) -> Mapping[str, ModelError]:
        """What is wrong with the versions that cannot be used, by the name of their folder.

        The empty name stands for the model's own folder.
        """
        return dict(self._problems)  # A copy, because other threads load versions meanwhile.

    def card(self, version: int | None = None) -> Card:
        """Return the card of a version.

        Args:
            version: Number of the version; the default one if None.

        Raises:
            ModelNotFound: There is no such version.
            ModelError: The version cannot be used.
        """
        number = self.default if version is None else version
        card = self._cards.get(number)
        if card is not None:
            return card
        error = self._problems.get(str(number))
        if error is None and not self._cards and not self.numbers:
            error = next(iter(self._problems.values()), None)
        if error is not None:
            raise without_traceback(error)
        if not self._cards:
            raise ModelNotFound(f"the folder of {self.name} holds no version")
        numbers = ", ".join(map(str, self.versions))
        raise ModelNotFound(f"{self.name} has no version {shorten(number)}; it has {numbers}")

    def folder(self, version: int) -> Path:
        """Return the folder of a version's files."""
        return self._folder / str(version)

    def predictor(self, version: int | None = None) -> Predictor:
        """Return the predictor of a version, which is loaded at the first call.

        Raises:
            ModelNotFound: There is no such version.
            ModelError: Its files cannot be loaded, or do not match the card.
            ProviderError: A requested provider is not available.
        """
        card = self.card(version)
        try:
            predictor = self._load_once(self._predictors, self._load_predictor, card)
        except ModelError as error:
            self._add_problem(card.version, error)
            raise
        self._problems.pop(str(card.version), None)  # The files have been repaired.
        return predictor

    def explainer(self, version: int | None = None) -> Explainer:
        """Return the explainer of a version, which is loaded at the first call.

        Raises:
            ModelNotFound: There is no such version.
            InvalidInput: The model reads texts; only predictions for pictures are explained.
            ModelError: Its files cannot be loaded, or do not match the card.
            ProviderError: A requested provider is not available.
        """
        return self._load_once(self._explainers, self._load_explainer, self.card(version))

    def precision(self, card: Card) -> PrecisionChoice:
        """Return the precision of a version; ``auto`` if it will be measured when it is loaded."""
        loaded = self._predictors.get(card.version)
        if loaded:
            return loaded.precision
        on_cpu = runs_on_cpu(self._options.providers)
        return resolve_precision(card, self._options.precision, on_cpu=on_cpu)

    def provider(self, card: Card) -> str | None:
        """Return the ONNX Runtime provider that runs a version; None before the version is loaded."""
        loaded = self._predictors.get(card.version)
        return loaded.providers[0] if loaded else None

    def check(self) -> None:
        """Load the default version, and load the others as a trial.

        If the preferred version cannot be loaded, the highest one that can becomes the default. Versions that
        cannot be used become problems.

        Raises:
            ProviderError: A requested provider is not available.
        """
        preferred, self.default = self.preferred, 0
        for version in sorted(self.versions, key=lambda number: (number != preferred, -number)):
            try:
                if self.default:
                    self._load_predictor(self.folder(version), self._cards[version])
                else:
                    self.default = self.predictor(version).card.version
                self._check_explanation(version)
            except ModelError as error:
                self._add_problem(version, error)
                del self._cards[version]
        self.default = self.default or preferred  # Its problem is the error of requests.

    def log_problems(self) -> None:
        """Log each problem once, in one line, and which version is the default in its place."""
        lines = [str(error) for error in self.problems.values()]
        lines += [self._default_problem] if self._default_problem else []
        preferred = self.preferred
        if self.default != preferred:
            lines.append(f"{self.name} {preferred} cannot be used; version {self.default} is the default")
        elif self._declared not in (None, preferred):
            lines.append(
                f"{self.name} has no version {self._declared}, which its file {DEFAULT_FILE!r} names; "
                f"version {self.default} is the default"
            )
        for line in lines:
            if line not in self._logged:
                _log.warning("%s", line)
        self._logged.update(lines)

    def add_problems(self, problems: Mapping[str, ModelError]) -> None:
        """Add versions that cannot be used, by their number; they are not in the folder."""
        self._problems = {**self._problems, **problems}
        for version in problems:
            self._cards.pop(int(version), None)
        self.default = self.preferred

    def release(self) -> None:
        """Forget what is loaded. Requests that use it keep their own reference."""
        self._predictors.clear()
        self._explainers.clear()

    def _add_problem(self, version: int, error: ModelError) -> None:
        self._problems[str(version)] = without_traceback(error)

    def _load_once(self, loaded: dict[int, T], load: Callable[[Path, Card], T], card: Card) -> T:
        # First without the lock, so that a loaded version is available while another one is being loaded.
        found = loaded.get(card.version)
        if found is not None:
            return found
        with self._lock:
            found = loaded.get(card.version)
            if found is None:
                found = loaded[card.version] = load(self.folder(card.version), card)
            return found  # not looked up again: another thread may release the model now

    def _load_predictor(self, folder: Path, card: Card) -> Predictor:
        return Predictor.load(folder, card, **dataclasses.asdict(self._options))

    def _load_explainer(self, folder: Path, card: Card) -> Explainer:
        network = partial(self.predictor, card.version)
        options = self._options
        providers = without_tensorrt(options.providers)
        return Explainer.load(folder, card, network=network, providers=providers, threads=options.threads)

    def _check_explanation(self, version: int) -> None:
        """Log whether the explanation graph is damaged; predictions do not need it."""
        explanation = self._cards[version].explanation
        if explanation is not None:
            try:
                check_sha256(self.folder(version) / EXPLANATION_FILE, explanation.sha256)
            except ModelError as error:
                _log.warning("%s; predictions are not affected", error)
