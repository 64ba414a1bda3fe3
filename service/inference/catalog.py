"""Lists the models of a folder and finds each of them by its name."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from service.inference.card import Card
from service.inference.defaults import BUNDLED as BUNDLED
from service.inference.errors import ModelError, ModelNotFound, shorten
from service.inference.explain import Explainer
from service.inference.precision import PrecisionChoice
from service.inference.predictor import Predictor
from service.inference.repository.cards import is_folder
from service.inference.repository.model import LoadOptions, Model
from service.inference.repository.remote import Problems, RemoteModels
from service.inference.session import AUTO
from service.inference.tensorrt import DEFAULT_TENSORRT, TensorRT


def model_source(models: str | Path, *, cache: Path, keep: bool = False) -> Path | RemoteModels:
    """Return what :class:`Catalog` takes.

    Args:
        models: A folder, or an address such as ``s3://bucket/models``.
        cache: Folder for downloads.
        keep: As in :class:`RemoteModels`.
    """
    text = str(models)
    return RemoteModels(text, cache=cache, keep=keep) if "://" in text else Path(models)


class Catalog:
    """The models of a folder with the layout ``<name>/<version>/``; several threads can use it at once.

    A model or version that cannot be used is logged and listed in ``problems``; the others can be used.
    """

    def __init__(
        self,
        folder: Path | RemoteModels = BUNDLED,
        *,
        providers: Sequence[str] = (AUTO,),
        threads: int = 1,
        precision: PrecisionChoice = "float32",
        arena: bool = False,
        tensorrt: TensorRT = DEFAULT_TENSORRT,
        versions: Mapping[str, Collection[int]] | None = None,
        check: bool = False,
    ) -> None:
        """Read the cards of all models; a network is loaded when it is first used.

        Args:
            folder: Folder of the models; or an address, from which new versions are downloaded.
            providers: As in :func:`service.inference.session.open_session`.
            threads: Number of threads within one run of a network.
            precision: As in :meth:`Predictor.load`.
            arena: As in :meth:`Predictor.load`.
            tensorrt: As in :meth:`Predictor.load`.
            versions: The versions to use, by the name of their model; all if None. If it is given, there may
                be no model that can be used.
            check: Whether to load the default version of each model now, and the others as a trial. If the
                default one cannot be loaded, the highest one that can is the default then.

        Raises:
            ModelError: The folder does not exist, or contains no model that can be used.
            MissingExtra, SettingsError: As in :meth:`RemoteModels.fetch`.
            ProviderError: A requested provider is not available.
        """
        self._remote = folder if isinstance(folder, RemoteModels) else None
        self._folder = folder.folder if isinstance(folder, RemoteModels) else folder
        problems = self._remote.fetch() if self._remote else {}
        self._options = LoadOptions(tuple(providers), threads, precision, arena, tensorrt)
        # Replaced as a whole, so that a thread that reads it has a consistent one.
        self._models: Mapping[str, Model] = {}
        self._read_all(versions, problems)
        if check:
            for model in self.models():
                model.check()
        if versions is None:
            self._check_usable()
        for model in self.models():
            model.log_problems()

    def __iter__(self) -> Iterator[Card]:
        """Yield the card of each model's default version, sorted by name.

        The default is the version that the model's folder declares, else the highest one. If that cannot be
        used, it is the highest one that can.
        """
        for model in self.models():
            if model.versions:
                yield model.card(model.default if model.default in model.versions else model.versions[-1])

    def names(self) -> list[str]:
        """Return the names of the folders that can hold a model, sorted.

        Raises:
            ModelError: The folder of the models cannot be read.
        """
        if not self._folder.is_dir():
            raise ModelError(f"{self._folder}: no such folder; set LECTERN_MODELS to a folder of models")
        try:
            return sorted(path.name for path in self._folder.iterdir() if is_folder(path))
        except OSError as error:
            raise ModelError(
                f"{self._folder}: cannot be read ({error.strerror}); check the folder's permissions"
            ) from error

    def models(self) -> list[Model]:
        """Return all models, sorted by name, with those that cannot be used."""
        return [model for _, model in sorted(self._models.items())]

    def find(self, name: str) -> Model | None:
        """Return a model, or None if there is none of this name."""
        return self._models.get(name)

    def model(self, name: str) -> Model:
        """Return a model.

        Raises:
            ModelNotFound: There is no such model.
        """
        model = self._models.get(name)
        if model is None:
            names = ", ".join(sorted(self._models)) or "none"
            raise ModelNotFound(f"there is no model {shorten(name)}; there are {names}")
        return model

    def versions(self, name: str) -> tuple[int, ...]:
        """Return the versions of a model that can be used, ascending.

        Raises:
            ModelNotFound: There is no such model.
        """
        return self.model(name).versions

    def card(self, name: str, version: int | None = None) -> Card:
        """Return the card of a version; arguments and errors as for :meth:`model` and :meth:`Model.card`."""
        return self.model(name).card(version)

    def cards(self, name: str | None = None, version: int | None = None) -> list[Card]:
        """Return the cards of the versions that can be used.

        Args:
            name: Of a model; all models if None.
            version: Of this model; all its versions if None.

        Raises:
            ModelNotFound: There is no such model or version.
            ModelError: The version cannot be used.
        """
        if name is not None and version is not None:
            return [self.card(name, version)]
        models = self.models() if name is None else [self.model(name)]
        return [model.card(number) for model in models for number in model.versions]

    def folder(self, card: Card) -> Path:
        """Return the folder of a card's files."""
        return self.model(card.name).folder(card.version)

    def predictor(self, name: str, version: int | None = None) -> Predictor:
        """Return the predictor of a version; errors as for :meth:`model` and :meth:`Model.predictor`."""
        return self.model(name).predictor(version)

    def explainer(self, name: str, version: int | None = None) -> Explainer:
        """Return the explainer of a version; errors as for :meth:`model` and :meth:`Model.explainer`."""
        return self.model(name).explainer(version)

    def precision(self, card: Card) -> PrecisionChoice:
        """Return the precision of a model; ``auto`` if it will be measured when the model is loaded."""
        return self.model(card.name).precision(card)

    def provider(self, card: Card) -> str | None:
        """Return the ONNX Runtime provider that runs a model; None before the version is loaded."""
        return self.model(card.name).provider(card)

    def read(self, name: str, *, versions: Collection[int] | None = None) -> Model:
        """Read a model from its folder, without a change of the catalogue.

        Args:
            name: One of :meth:`names`.
            versions: The versions to use; all if None.
        """
        return Model(self._folder / name, self._options, versions=versions)

    def add(self, folder: Path) -> None:
        """Add the model of a folder that is elsewhere, or replace the one of its name."""
        self.put(Model(folder, self._options))

    def download(self, name: str) -> None:
        """Download new versions of a model, if the models come from an address.

        Raises:
            ModelError: The address cannot be reached, or a version cannot be used.
        """
        if self._remote:
            self._remote.fetch_model(name)

    def put(self, model: Model) -> None:
        """Add a model, or replace the one of its name."""
        self._models = {**self._models, model.name: model}

    def remove(self, name: str) -> None:
        """Remove a model, if there is one of this name."""
        self._models = {key: model for key, model in self._models.items() if key != name}

    def _read_all(self, versions: Mapping[str, Collection[int]] | None, problems: Problems) -> None:
        for name in self.names():
            if versions is None or name in versions:
                model = self.read(name, versions=None if versions is None else versions[name])
                model.add_problems(problems.get(name, {}))
                if model.versions or model.problems:
                    self.put(model)

    def _check_usable(self) -> None:
        if any(model.versions for model in self.models()):
            return
        problems = [error for model in self.models() for error in model.problems.values()]
        match problems:
            case []:
                raise ModelError(
                    f"{self._folder}: holds no models; train one, or set LECTERN_MODELS to a folder of models"
                )
            case [problem]:
                raise problem
            case _:
                raise ModelError(f"{self._folder}: no model can be used: {'; '.join(map(str, problems))}")
