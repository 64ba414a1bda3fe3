"""Loads a model and makes predictions with it."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from PIL import Image

from service.inference.arrays import Array as Array
from service.inference.arrays import Encoding, batch_shape, network_batch, split_rows
from service.inference.card import Card
from service.inference.errors import InvalidInput
from service.inference.network import Network, open_network
from service.inference.precision import Precision, PrecisionChoice, served_card
from service.inference.prediction import Prediction, Reason, Regression
from service.inference.preparation import (
    PicturePreparation,
    PreparedInput,
    Reserve,
    decoded_picture,
    reserve_nothing,
)
from service.inference.preprocessing import DEFAULT_MAX_PIXELS, Vocabulary
from service.inference.preprocessing.table import Row, Table
from service.inference.repository.checks import read_table, read_vocabulary
from service.inference.session import AUTO
from service.inference.tensorrt import DEFAULT_TENSORRT, TensorRT

_log = logging.getLogger(__name__)

Input: TypeAlias = bytes | str | Row


class Predictor(Network):
    """A network with the preprocessing of its inputs; its methods can be called from several threads.

    :meth:`predict` classifies files, texts and rows, :meth:`classify` inputs that are already prepared. A
    regression has :meth:`predict_values` in place of both. A server that times and batches the steps calls
    :meth:`examine` for each input, :meth:`stack` and :meth:`probabilities` for a batch, and :meth:`answer` or
    :meth:`answer_values` for each row.

    Args:
        card: Card of the model.
        session: The network.
        precision: The form that the session runs.
        vocabulary: Only of models of texts.
        table: Only of models of tables.
        pictures: Only of models of pictures.
    """

    def __init__(
        self,
        card: Card,
        session: ort.InferenceSession,
        *,
        precision: Precision = "float32",
        vocabulary: Vocabulary | None = None,
        table: Table | None = None,
        pictures: PicturePreparation | None = None,
    ) -> None:
        super().__init__(card, session, precision=precision)
        self.vocabulary = vocabulary
        self.table = table
        self._pictures = pictures

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
        tensorrt: TensorRT = DEFAULT_TENSORRT,
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
            tensorrt: How networks are compiled if ``tensorrt`` is among the providers.

        Raises:
            ChecksumMismatch: The network's file is not the one that the card describes.
            ModelError: A file is missing, cannot be loaded, or does not match the card.
            ProviderError: A requested provider is not available.
        """
        session, used = open_network(
            folder,
            card,
            providers=providers,
            threads=threads,
            precision=precision,
            arena=arena and card.reads != "texts",
            tensorrt=tensorrt,
        )
        card = served_card(card, used)
        if precision != "float32":
            _log.info("%s %s runs in %s (LECTERN_PRECISION is %s)", card.name, card.version, used, precision)
        return cls(
            card,
            session,
            precision=used,
            vocabulary=read_vocabulary(folder, card) if card.reads == "texts" else None,
            table=read_table(card) if card.reads == "tables" else None,
            pictures=PicturePreparation(card) if card.reads == "pictures" else None,
        )

    def prepare(self, value: Input, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Array:
        """Turn one input into the network's input array, without the batch dimension.

        Args:
            value: A picture file, a text, or a row of a table, as the card's ``reads`` says.
            max_pixels: Largest width x height of a picture.

        Returns:
            uint8 pixels (height, width) or (height, width, 3), int32 ids (n,), or float32 (columns,).

        Raises:
            InputError: The input has the wrong type, is damaged, blank or too large, or has no known word.
        """
        return self.examine(value, max_pixels=max_pixels).array

    def examine(
        self,
        value: Input,
        *,
        max_pixels: int = DEFAULT_MAX_PIXELS,
        reduce_jpeg: bool = True,
        may_search: bool = True,
        reserve: Reserve = reserve_nothing,
    ) -> PreparedInput:
        """Prepare one input as :meth:`prepare` does, and find a reason for an unsure prediction.

        Args:
            value: As for :meth:`prepare`.
            max_pixels: As for :meth:`prepare`.
            reduce_jpeg: Whether a JPEG file with more pixels may be decoded at a reduced scale.
            may_search: As for :meth:`PicturePreparation.examine`.
            reserve: Called with the bytes that a large picture takes. The context manager that it returns is
                entered while the picture is decoded and prepared.

        Raises:
            InputError: As for :meth:`prepare`, or the picture would have to be searched and may not.
        """
        if self.vocabulary is not None:
            if not isinstance(value, str):
                raise InvalidInput(f"{self.card.name} reads texts, not files; send a text")
            return PreparedInput(self.vocabulary.encode(value, length=self.card.input.length))
        if self.table is not None:
            return self._examine_row(value, self.table)
        if self._pictures is None or not isinstance(value, bytes):
            raise InvalidInput(f"{self.card.name} reads pictures, not texts; send a picture file")
        with decoded_picture(
            value, max_pixels=max_pixels, reduce_jpeg=reduce_jpeg, reserve=reserve
        ) as picture:
            return self._pictures.examine(picture, network=self, may_search=may_search)

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

    def examine_image(self, image: Image.Image, *, may_search: bool = True) -> PreparedInput:
        """Prepare a picture as :meth:`prepare_image` does, and find a reason for an unsure prediction.

        Of a long photo, a classifier takes the square that its network is most confident about.

        Raises:
            InputError: As for :meth:`prepare_image`, or the picture would have to be searched and may not.
        """
        if self._pictures is None:
            wanted = "a text" if self.takes_text else "the row of a table"
            raise InvalidInput(f"{self.card.name} reads {self.card.reads}, not pictures; send {wanted}")
        return self._pictures.examine(image, network=self, may_search=may_search)

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
        """Classify prepared inputs.

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
        return [self.answer(row, top_k=top_k) for row in self._run_batch(self.stack(rows))]

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
        return PreparedInput(row, table.unsure_reason(row))

    def _run_inputs(self, inputs: Sequence[Input]) -> Iterator[tuple[npt.NDArray[np.float32], Reason | None]]:
        """Yield the output for each input, and a reason to doubt it."""
        if not inputs:
            return
        prepared = [self.examine(value) for value in inputs]
        rows = self._run_batch(self.stack([value.array for value in prepared]))
        yield from zip(rows, (value.reason for value in prepared), strict=True)

    def _run_array(self, values: Array, encoding: Encoding) -> Iterator[npt.NDArray[np.float32]]:
        """Yield the output for each input in an array."""
        shape = batch_shape(values.shape, self.card, encoding=encoding)
        yield from self._run_batch(network_batch(values, shape, self.card, encoding=encoding))

    def _run_batch(self, batch: Array) -> Iterator[npt.NDArray[np.float32]]:
        """Yield the output for each row."""
        for rows in split_rows(batch):
            yield from self.probabilities(rows)
