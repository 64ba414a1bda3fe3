"""Loads a model and makes predictions with it."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import starmap
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from PIL import Image

from service.inference.arrays import Array as Array
from service.inference.arrays import Encoding, batch_shape, network_batch
from service.inference.card import TEXT_KINDS, Card
from service.inference.crops import choose_crop
from service.inference.errors import InputTooLarge, InvalidInput, shorten
from service.inference.precision import (
    Precision,
    PrecisionChoice,
    dummy_batch,
    measure_faster,
    resolve_precision,
    served_card,
)
from service.inference.prediction import (
    MultiLabelPrediction,
    Prediction,
    Reason,
    Regression,
    Score,
    Value,
    confidence,
    rank,
)
from service.inference.preprocessing import (
    DEFAULT_MAX_PIXELS,
    Vocabulary,
    pad,
    picture_preparation,
)
from service.inference.preprocessing.decoding import decoding_memory, load_image, open_image
from service.inference.preprocessing.digit import PreparedDigit, examine_digit
from service.inference.preprocessing.photo import crop_along, is_long
from service.inference.preprocessing.table import Row, Table
from service.inference.repository.checks import (
    check_network,
    check_network_file,
    check_preparation,
    read_table,
    read_vocabulary,
)
from service.inference.session import AUTO, open_session, runs_on_cpu, shrinking

_log = logging.getLogger(__name__)

Input: TypeAlias = bytes | str | Row
Reserve: TypeAlias = Callable[[int], AbstractContextManager[object]]

# Rows of an array in one run, so that memory does not grow with the array.
_ROWS_PER_RUN = 64
# The memory for a smaller picture is not worth the time to reserve it.
_SMALL_PIXELS = 512 * 512


def reserve_nothing(size: int) -> AbstractContextManager[object]:
    """Return a context manager that limits no memory."""
    return nullcontext()


@contextmanager
def decoded_picture(
    data: bytes, *, max_pixels: int, reduce_jpeg: bool = True, reserve: Reserve
) -> Iterator[Image.Image]:
    """Decode a picture file, and keep the memory for it reserved while it is prepared.

    Args:
        data: A picture file.
        max_pixels: Largest width x height of the picture.
        reduce_jpeg: Whether a JPEG file with more pixels may be decoded at a reduced scale.
        reserve: As for :meth:`Predictor.prepare`.

    Raises:
        InputError: The picture is damaged or too large.
    """
    picture = open_image(data, max_pixels=max_pixels, reduce_jpeg=reduce_jpeg)
    if picture.width * picture.height <= _SMALL_PIXELS:
        yield load_image(picture)
        return
    with reserve(decoding_memory(picture)):
        decoded = load_image(picture)
        del picture  # Of some kinds, it takes more memory than what was decoded.
        yield decoded


@dataclass(frozen=True, eq=False, slots=True)
class PreparedInput:
    """An input that is prepared for a network.

    Attributes:
        array: uint8 pixels (height, width) or (height, width, 3), int32 ids (n,), or float32 (columns,).
        reason: Why the prediction will be unsure, whatever its scores are.
    """

    array: Array
    reason: Reason | None = None


class Predictor:
    """A network with its card and its preprocessing; its methods can be called from several threads.

    :meth:`predict` classifies files, texts and rows, :meth:`classify` inputs that are already prepared. A
    regression has :meth:`predict_values` in place of both. A server that times and batches the steps calls
    :meth:`examine` for each input, :meth:`stack` and :meth:`probabilities` for a batch, and :meth:`answer` or
    :meth:`answer_values` for each row.
    """

    def __init__(
        self,
        card: Card,
        session: ort.InferenceSession,
        prepare: Callable[..., Array],
        *,
        precision: Precision = "float32",
        vocabulary: Vocabulary | None = None,
        table: Table | None = None,
    ) -> None:
        self.card = card
        self.precision = precision
        self.vocabulary = vocabulary  # None except for models of texts
        self.table = table  # None except for models of tables
        self._session = session
        self._prepare = prepare
        self._output = session.get_outputs()[0].name
        # A value has no confidence, and of several labels each may be in another part of the photo.
        self._searches_photos = card.input.preprocessing == "photo" and card.task == "image-classification"

    @classmethod
    def load(
        cls,
        folder: Path,
        card: Card,
        *,
        providers: Sequence[str] = (AUTO,),
        threads: int = 1,
        precision: PrecisionChoice = "float32",
        arena: bool = False,
    ) -> "Predictor":
        """Load a model from its folder.

        Args:
            folder: Holds ``model.onnx``, ``model.int8.onnx`` if the card describes it, and ``vocabulary.txt``
                for text models.
            card: Card of the model.
            providers: As in :func:`service.inference.session.open_session`.
            threads: Number of threads within one run.
            precision: Form of the network; ``auto`` measures which one is faster. A model without an 8-bit
                form, and every model on a GPU, runs in ``float32``.
            arena: As in :func:`service.inference.session.open_session`; ignored for text models, whose inputs
                vary in size.

        Raises:
            ChecksumMismatch: The network's file is not the one that the card describes.
            ModelError: A file is missing, cannot be loaded, or does not match the card.
            ProviderError: A requested provider is not available.
        """
        arena = arena and card.reads != "texts"
        open_form = partial(_open, folder, card, providers=providers, threads=threads, arena=arena)
        resolved = resolve_precision(card, precision, on_cpu=runs_on_cpu(providers))
        if resolved == "auto":
            float32, int8 = open_form("float32"), open_form("int8")
            used = measure_faster(card, float32, int8)
            session = int8 if used == "int8" else float32
        else:
            used, session = resolved, open_form(resolved)
        card = served_card(card, used)
        if precision != "float32":
            _log.info("%s %s runs in %s (LECTERN_PRECISION is %s)", card.name, card.version, used, precision)
        if card.input.preprocessing in TEXT_KINDS:
            vocabulary = read_vocabulary(folder, card)
            prepare = partial(vocabulary.encode, length=card.input.length)
            return cls(card, session, prepare, precision=used, vocabulary=vocabulary)
        if card.reads == "tables":
            table = read_table(card)
            return cls(card, session, table.encode, precision=used, table=table)
        return cls(card, session, _picture_preparation(card), precision=used)

    @property
    def providers(self) -> tuple[str, ...]:
        """Names of the ONNX Runtime providers in use, in order of preference."""
        return tuple(self._session.get_providers())

    @property
    def takes_text(self) -> bool:
        """Whether inputs are texts rather than picture files."""
        return self.card.reads == "texts"

    def prepare(
        self,
        value: Input,
        *,
        max_pixels: int = DEFAULT_MAX_PIXELS,
        reduce_jpeg: bool = True,
        reserve: Reserve = reserve_nothing,
    ) -> Array:
        """Turn one input into the network's input array, without the batch dimension.

        Args:
            value: A picture file, a text, or a row of a table, as the card's ``reads`` says.
            max_pixels: Largest width x height of a picture.
            reduce_jpeg: Whether a JPEG file with more pixels may be decoded at a reduced scale.
            reserve: Called with the bytes that a large picture takes. The context manager that it returns is
                entered while the picture is decoded and prepared.

        Returns:
            uint8 pixels (height, width) or (height, width, 3), int32 ids (n,), or float32 (columns,).

        Raises:
            InputError: The input has the wrong type, is damaged, blank or too large, or has no known word.
        """
        return self.examine(value, max_pixels=max_pixels, reduce_jpeg=reduce_jpeg, reserve=reserve).array

    def examine(
        self,
        value: Input,
        *,
        max_pixels: int = DEFAULT_MAX_PIXELS,
        reduce_jpeg: bool = True,
        may_run: bool = True,
        reserve: Reserve = reserve_nothing,
    ) -> PreparedInput:
        """Prepare one input as :meth:`prepare` does, and find a reason for an unsure prediction.

        Args:
            value: As for :meth:`prepare`.
            max_pixels: As for :meth:`prepare`.
            reduce_jpeg: As for :meth:`prepare`.
            may_run: Whether the network may run, to find the subject of a long photo.
            reserve: As for :meth:`prepare`.

        Raises:
            InputError: As for :meth:`prepare`, or the network would have to run and may not.
        """
        if self.takes_text:
            if not isinstance(value, str):
                raise InvalidInput(f"{self.card.name} reads texts, not files; send a text")
            return PreparedInput(self._prepare(value))
        if self.table is not None:
            return self._examine_row(value, self.table)
        if not isinstance(value, bytes):
            raise InvalidInput(f"{self.card.name} reads pictures, not texts; send a picture file")
        with decoded_picture(
            value, max_pixels=max_pixels, reduce_jpeg=reduce_jpeg, reserve=reserve
        ) as picture:
            return self.examine_image(picture, may_run=may_run)

    def prepare_image(self, image: Image.Image) -> Array:
        """Turn a decoded picture into the network's input array, without the batch dimension.

        Args:
            image: An upright image of mode ``L``, ``RGB`` or ``RGBA``, as ``decode_image`` returns it.

        Returns:
            uint8 pixels (height, width) or (height, width, 3).

        Raises:
            InputError: The picture is blank, or the model reads no pictures.
        """
        return self.examine_image(image).array

    def examine_image(self, image: Image.Image, *, may_run: bool = True) -> PreparedInput:
        """Prepare a picture as :meth:`prepare_image` does, and find a reason for an unsure prediction.

        Of a long photo, a classifier takes the square that its network is most confident about.

        Raises:
            InputError: As for :meth:`prepare_image`, or the network would have to run and may not.
        """
        if self.card.reads != "pictures":
            wanted = "a text" if self.takes_text else "the row of a table"
            raise InvalidInput(f"{self.card.name} reads {self.card.reads}, not pictures; send {wanted}")
        if self.card.input.preprocessing == "digit":
            digit = examine_digit(image)
            return PreparedInput(digit.pixels, _reason(digit, self.card))
        pixels = self._prepare(image)
        if not self._searches_photos or not is_long(image):
            return PreparedInput(pixels)
        if not may_run:
            raise InputTooLarge("the photo is so long that the network has to search it")
        crops = [pixels, *crop_along(image, size=len(pixels))]
        return PreparedInput(choose_crop(crops, network=self.probabilities))

    def stack(self, rows: Sequence[Array]) -> Array:
        """Stack prepared inputs into one batch; ids are padded to the same length."""
        if self.takes_text:
            return pad(rows)
        # np.stack is slow for the single picture of most requests.
        return rows[0][np.newaxis] if len(rows) == 1 else np.stack(rows)

    def probabilities(self, batch: Array) -> npt.NDArray[np.float32]:
        """Run the network.

        Args:
            batch: uint8 (batch, height, width[, 3]), int32 (batch, n) or float32 (batch, columns), as
                :meth:`stack` returns it.

        Returns:
            float32 array (batch, labels): probabilities, of which each row sums to 1 unless there are several
            labels at once; or the values of a regression.

        Raises:
            InvalidInput: The batch does not have the dtype and shape of the card's ``input``.
        """
        spec = self.card.input
        fits = len(batch.shape) == len(spec.shape) and all(
            expected in (-1, actual) for expected, actual in zip(spec.shape, batch.shape, strict=True)
        )
        if batch.dtype != spec.dtype or not fits or batch.size == 0:
            raise InvalidInput(
                f"{self.card.name} expects {spec.dtype} of shape {list(spec.shape)} (-1: 1 or more), "
                f"not {batch.dtype} of shape {shorten(list(batch.shape))}"
            )
        result: npt.NDArray[np.float32] = self._session.run([self._output], {spec.name: batch})[0]
        return result

    def answer(
        self,
        probabilities: npt.NDArray[np.float32],
        *,
        top_k: int | None = None,
        reason: Reason | None = None,
    ) -> Prediction:
        """Turn one row of :meth:`probabilities` into a prediction.

        Args:
            probabilities: float32 array (labels,).
            top_k: Number of labels to return, 1 or more; all of them if None.
            reason: Why the prediction is unsure whatever its scores are.

        Raises:
            InvalidInput: ``top_k`` is below 1, or the model predicts values.
        """
        if self.card.task == "regression":
            raise InvalidInput(
                f"{self.card.name} predicts values ({', '.join(self.card.labels)}) and no labels; call "
                "predict_values"
            )
        if top_k is not None and top_k < 1:
            raise InvalidInput(f"top_k is {shorten(top_k)}; it must be a whole number from 1")
        scores = tuple(starmap(Score, rank(probabilities, self.card.labels, top_k=top_k)))
        is_multi_label = self.card.task == "multi-label-classification"
        certainty = confidence(probabilities, multi_label=True) if is_multi_label else scores[0].score
        return (MultiLabelPrediction if is_multi_label else Prediction)(
            model=self.card.name,
            version=self.card.version,
            scores=scores,
            unsure=reason is not None or certainty < self.card.unsure_below,
            reason=reason,
        )

    def answer_values(self, values: npt.NDArray[np.float32], *, reason: Reason | None = None) -> Regression:
        """Turn one row of :meth:`probabilities` of a regression into its result.

        Args:
            values: float32 array (labels,).
            reason: Why the values are doubtful.

        Raises:
            InvalidInput: The model predicts labels.
        """
        card = self.card
        if card.task != "regression":
            raise InvalidInput(f"{card.name} predicts labels and no values; call predict")
        pairs = zip(card.labels, values.tolist(), strict=True)
        return Regression(card.name, card.version, tuple(starmap(Value, pairs)), reason is not None, reason)

    def predict(self, inputs: Sequence[Input], *, top_k: int | None = None) -> list[Prediction]:
        """Classify picture files, texts or rows in one batch.

        Args:
            inputs: Picture files, texts or rows of a table.
            top_k: Number of labels to return, 1 or more; all of them if None.

        Returns:
            One prediction for each input, in the same order.

        Raises:
            InputError: One of the inputs is invalid, or the model predicts values.
        """
        return [self.answer(row, top_k=top_k, reason=reason) for row, reason in self._run_inputs(inputs)]

    def predict_values(self, inputs: Sequence[Input]) -> list[Regression]:
        """Predict the values of a regression for several inputs in one batch.

        Args:
            inputs: Rows of a table, picture files or texts, as the card's ``reads`` says.

        Returns:
            One result for each input, in the same order.

        Raises:
            InputError: One of the inputs is invalid, or the model predicts labels.
        """
        return [self.answer_values(row, reason=reason) for row, reason in self._run_inputs(inputs)]

    def classify(self, rows: Sequence[Array], *, top_k: int | None = None) -> list[Prediction]:
        """Classify prepared inputs in one batch.

        Args:
            rows: Input arrays, as :meth:`prepare` and :meth:`prepare_image` return them.
            top_k: Number of labels to return, 1 or more; all of them if None.

        Returns:
            One prediction for each row, in the same order.

        Raises:
            InvalidInput: A row does not have the dtype and shape of the card's ``input``.
        """
        if not rows:
            return []
        return [self.answer(row, top_k=top_k) for row in self.probabilities(self.stack(rows))]

    def predict_array(
        self, values: Array, *, top_k: int | None = None, encoding: Encoding = "ids"
    ) -> list[Prediction]:
        """Classify the inputs in an array.

        Args:
            values: Numbers of a shape that :func:`~service.inference.arrays.batch_shape` takes: pixels as
                0 to 255 or 0 to 1, or what ``encoding`` says.
            top_k: Number of labels to return, 1 or more; all of them if None.
            encoding: What the numbers are; for models of texts.

        Returns:
            One prediction for each input, in the same order.

        Raises:
            InvalidTensor: The model does not take the shape or the numbers.
            InputError: As above, or a row of ids is too long, or ``top_k`` is below 1.
        """
        return [self.answer(row, top_k=top_k) for row in self._run_array(values, encoding)]

    def predict_array_values(self, values: Array) -> list[Regression]:
        """Predict the values of a regression for the inputs in an array; see :meth:`predict_array`."""
        return [self.answer_values(row) for row in self._run_array(values, "ids")]

    def _examine_row(self, value: Input, table: Table) -> PreparedInput:
        if not isinstance(value, Mapping):
            raise InvalidInput(
                f"{self.card.name} reads rows of a table; send a number, or null if it is missing, for each "
                f"of {', '.join(table.names)}"
            )
        row = table.encode(value)
        return PreparedInput(row, table.doubt(row))

    def _run_inputs(self, inputs: Sequence[Input]) -> Iterator[tuple[npt.NDArray[np.float32], Reason | None]]:
        """Yield the output for each input, and a reason to doubt it."""
        if not inputs:
            return
        prepared = [self.examine(value) for value in inputs]
        rows = self.probabilities(self.stack([value.array for value in prepared]))
        yield from zip(rows, (value.reason for value in prepared), strict=True)

    def _run_array(self, values: Array, encoding: Encoding) -> Iterator[npt.NDArray[np.float32]]:
        """Yield the output for each input in an array."""
        shape = batch_shape(values.shape, self.card, encoding=encoding)
        batch = network_batch(values, shape, self.card, encoding=encoding)
        for start in range(0, len(batch), _ROWS_PER_RUN):
            yield from self.probabilities(batch[start : start + _ROWS_PER_RUN])

    def shrink_arena(self) -> None:
        """Run the network once, and return the memory that earlier runs on larger batches needed.

        Does nothing on GPUs, and for networks without an arena.
        """
        has_arena = self._session.get_session_options().enable_cpu_mem_arena
        if has_arena and self.providers == ("CPUExecutionProvider",):
            self._session.run([self._output], {self.card.input.name: dummy_batch(self.card)}, shrinking())

    def warm(self) -> None:
        """Run the network once, so that one-time work does not delay the first prediction."""
        self.probabilities(dummy_batch(self.card))


def _open(folder: Path, card: Card, precision: Precision, **options: Any) -> ort.InferenceSession:
    path = check_network_file(folder, card, precision)
    session = open_session(path, **options)
    check_network(path, card, session)
    return session


def _reason(digit: PreparedDigit, card: Card) -> Reason | None:
    """Return why the prediction for a digit is unsure whatever its scores are."""
    # A taught model may read letters or signs, some of which have several parts.
    if digit.has_several and any(label.isdecimal() for label in card.labels):
        return "several_digits"
    return "stroke_too_thick" if digit.too_thick else None


def _picture_preparation(card: Card) -> Callable[..., Array]:
    """Return the function that turns a decoded picture into the network's input."""
    prepare = picture_preparation(card.input.preprocessing, size=card.input.shape[1])
    check_preparation(card, prepare)
    return prepare
