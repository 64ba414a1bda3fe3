"""Predicts the inputs of a shard, and writes its results."""

from dataclasses import dataclass
from pathlib import Path

from service.batch.errors import BatchError
from service.batch.manifest import InputList, Settings, manifest_version, part_name, read_manifest
from service.batch.reader import InputReader
from service.batch.results import Row, encode
from service.batch.sources import Input
from service.inference.card import read_card
from service.inference.defaults import DEFAULT_MAX_PIXELS
from service.inference.errors import LecternError
from service.inference.files import printable, write_atomically
from service.inference.prediction import Prediction
from service.inference.predictor import Predictor
from service.inference.preparation import PreparedInput


@dataclass(frozen=True)
class Job:
    """What every worker of a batch needs.

    Attributes:
        folder: Folder of the results, with the list of inputs.
        model: Folder of the model's version.
        working_folder: Folder to which the paths of inputs are relative.
        settings: What decides the results.
        max_pixels: Largest width x height of a picture.
    """

    folder: Path
    model: Path
    working_folder: Path
    settings: Settings
    max_pixels: int = DEFAULT_MAX_PIXELS


@dataclass(frozen=True)
class Task:
    """A shard to predict, or a part of it to try.

    Attributes:
        shard: Number of the shard.
        start: First input, counted from the beginning of the shard.
        stop: Input after the last one.
        faulty: Inputs that end the process, with the error for their row.
        trial: Whether only to find out if the process survives; no results are written.
    """

    shard: int
    start: int
    stop: int
    faulty: tuple[tuple[int, str], ...] = ()
    trial: bool = False


class ShardPredictor:
    """Runs the tasks of a batch in one process, with one thread."""

    def __init__(self, job: Job) -> None:
        """Load the model.

        Raises:
            LecternError: The model cannot be used, or it or the batch is not that of the job any more.
        """
        settings = job.settings
        card = read_card(job.model / "card.json")
        self._manifest_version = manifest_version(job.folder)
        manifest = read_manifest(job.folder)
        if manifest is None or manifest.settings != settings:
            raise _replaced(job)
        if network_sha256(job.model, settings.precision) != settings.sha256:
            raise BatchError(f"{job.model}: the model has changed; --overwrite begins again with it")
        self._job = job
        self._predictor = Predictor.load(job.model, card, precision=settings.precision)
        self._reader = InputReader(texts=self._predictor.takes_text, column=settings.column)
        self._inputs = InputList(job.folder)

    def run(self, task: Task) -> int:
        """Predict the inputs of a task; return how many of them have no prediction.

        Raises:
            BatchError: Another batch has begun in the folder.
            OSError: The list of inputs cannot be read, or the results cannot be written.
        """
        settings, faulty = self._job.settings, dict(task.faulty)
        items = self._inputs[task.shard][task.start : task.stop]
        first = task.shard * settings.shard_size + task.start
        rows: list[Row] = []
        # The batches do not depend on which inputs fail, so that each run of a shard gives the same scores.
        for offset in range(0, len(items), settings.batch_size):
            chunk = items[offset : offset + settings.batch_size]
            known = {number: faulty.get(task.start + offset + number) for number in range(len(chunk))}
            rows += self._predict(chunk, first + offset, known)
        if not task.trial:
            content = encode(
                rows,
                settings.format,
                model=settings.model,
                version=settings.version,
                precision=settings.precision,
            )
            # A process that its killed batch has left behind must not write into the next one.
            if manifest_version(self._job.folder) != self._manifest_version:
                raise _replaced(self._job)
            write_atomically(self._job.folder / part_name(task.shard, settings.format), content)
        return sum(isinstance(row.outcome, str) for row in rows)

    def close(self) -> None:
        """Close the files that are open."""
        self._reader.close()
        self._inputs.close()

    def _predict(self, items: list[Input], first: int, known: dict[int, str | None]) -> list[Row]:
        errors = {number: text for number, text in known.items() if text}
        prepared = dict[int, PreparedInput]()
        for number, item in enumerate(items):
            if number not in errors:
                try:
                    value = self._reader.read(item)
                    prepared[number] = self._predictor.examine(value, max_pixels=self._job.max_pixels)
                except Exception as error:  # one input must not stop the others, whatever is wrong with it
                    errors[number] = _describe(error)
        predictions = dict(zip(prepared, self._classify(list(prepared.values())), strict=True))
        return [
            Row(first + number, item.shown, errors.get(number) or predictions[number])
            for number, item in enumerate(items)
        ]

    def _classify(self, prepared: list[PreparedInput]) -> list[Prediction | str]:
        if not prepared:
            return []
        predictor, top_k = self._predictor, self._job.settings.top_k
        try:
            rows = predictor.probabilities(predictor.stack([item.array for item in prepared]))
            return [
                predictor.answer(row, top_k=top_k, reason=item.reason)
                for row, item in zip(rows, prepared, strict=True)
            ]
        except Exception as error:
            if len(prepared) == 1:
                return [_describe(error)]
            return [outcome for item in prepared for outcome in self._classify([item])]


def network_sha256(model: Path, precision: str) -> str:
    """Return the SHA-256 of the network's file, as the card states it.

    Args:
        model: Folder of the model's version.
        precision: ``float32`` or ``int8``.

    Raises:
        BatchError: The model has no such form.
    """
    card = read_card(model / "card.json")
    if precision == "float32":
        return card.onnx.sha256
    if card.quantized is None:
        raise BatchError(f"{card.name} {card.version} has no 8-bit form; leave out --precision int8")
    return card.quantized.sha256


def _describe(error: Exception) -> str:
    code = error.code if isinstance(error, LecternError) else "internal_error"
    return printable(f"{code}: {str(error) or type(error).__name__}")


def _replaced(job: Job) -> BatchError:
    return BatchError(f"{job.folder}: has another batch by now, so that this one ends")
