"""Opens the ONNX network of a model, runs it, and turns its output into predictions."""

from collections.abc import Sequence
from functools import partial
from itertools import starmap
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from service.inference.arrays import Array
from service.inference.card import Card
from service.inference.errors import InvalidInput, shorten
from service.inference.precision import (
    Precision,
    PrecisionChoice,
    dummy_batch,
    measure_faster,
    resolve_precision,
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
from service.inference.preprocessing import pad
from service.inference.repository.checks import check_network, check_network_file
from service.inference.session import TENSORRT, open_session, runs_on_cpu, shrinking
from service.inference.tensorrt import (
    MAX_BATCH,
    TensorRT,
    cache_folder,
    can_compile,
    compile_options,
    without_tensorrt,
)


class Network:
    """The network of a model; its methods can be called from several threads.

    Args:
        card: Card of the model.
        session: The network.
        precision: The form that the session runs.

    Attributes:
        card: As above.
        precision: As above.
        takes_text: Whether inputs are texts.
    """

    def __init__(
        self, card: Card, session: ort.InferenceSession, *, precision: Precision = "float32"
    ) -> None:
        self.card = card
        self.precision = precision
        self.takes_text = card.reads == "texts"
        self._session = session
        self._output = session.get_outputs()[0].name
        self._max_batch = MAX_BATCH if TENSORRT in session.get_providers() else None

    @property
    def providers(self) -> tuple[str, ...]:
        """Names of the ONNX Runtime providers in use, in order of preference."""
        return tuple(self._session.get_providers())

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
        if self._max_batch is None or len(batch) <= self._max_batch:
            return self._run(batch)
        starts = range(0, len(batch), self._max_batch)
        return np.concatenate([self._run(batch[start : start + self._max_batch]) for start in starts])

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
        card = self.card
        if card.task == "regression":
            raise InvalidInput(
                f"{card.name} predicts values ({', '.join(card.labels)}) and no labels; call predict_values"
            )
        if top_k is not None and top_k < 1:
            raise InvalidInput(f"top_k is {shorten(top_k)}; it must be a whole number from 1")
        scores = tuple(starmap(Score, rank(probabilities, card.labels, top_k=top_k)))
        is_multi_label = card.task == "multi-label-classification"
        certainty = confidence(probabilities, multi_label=True) if is_multi_label else scores[0].score
        return (MultiLabelPrediction if is_multi_label else Prediction)(
            model=card.name,
            version=card.version,
            scores=scores,
            unsure=reason is not None or certainty < card.unsure_below,
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

    def _run(self, batch: Array) -> npt.NDArray[np.float32]:
        result: npt.NDArray[np.float32] = self._session.run([self._output], {self.card.input.name: batch})[0]
        return result


def open_network(
    folder: Path,
    card: Card,
    *,
    providers: Sequence[str],
    threads: int,
    precision: PrecisionChoice,
    arena: bool,
    tensorrt: TensorRT,
) -> tuple[ort.InferenceSession, Precision]:
    """Open the form of a network that runs in a precision; arguments and errors as for ``Predictor.load``.

    Returns:
        The session, and its precision.
    """
    open_form = partial(
        _open_form, folder, card, providers=providers, threads=threads, arena=arena, tensorrt=tensorrt
    )
    resolved = resolve_precision(card, precision, on_cpu=runs_on_cpu(providers))
    if resolved != "auto":
        return open_form(resolved), resolved
    float32, int8 = open_form("float32"), open_form("int8")
    used = measure_faster(card, float32, int8)
    return int8 if used == "int8" else float32, used


def _open_form(
    folder: Path,
    card: Card,
    precision: Precision,
    *,
    providers: Sequence[str],
    tensorrt: TensorRT,
    **options: Any,
) -> ort.InferenceSession:
    path = check_network_file(folder, card, precision)
    if "tensorrt" in providers and can_compile(card):
        with cache_folder(card, tensorrt) as cache:
            compiled = compile_options(card, tensorrt, folder=cache)
            session = open_session(path, providers=providers, tensorrt_options=compiled, **options)
    else:
        session = open_session(path, providers=without_tensorrt(providers), **options)
    check_network(path, card, session)
    return session
