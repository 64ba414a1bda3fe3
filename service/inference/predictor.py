"""Owns one loaded model: from inputs to predictions, in process."""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from itertools import starmap
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from PIL import Image

from service.inference.card import Card
from service.inference.errors import ChecksumMismatch, InvalidInput, ModelError
from service.inference.files import sha256_of
from service.inference.precision import Precision, PrecisionChoice, faster, ones, path_of, settle
from service.inference.prediction import Prediction, Score, rank
from service.inference.preprocessing import (
    DEFAULT_MAX_PIXELS,
    Vocabulary,
    decode_image,
    pad,
    prepare_digit,
    prepare_garment,
    prepare_photo,
)
from service.inference.session import AUTO, open_session, runs_on_cpu

_log = logging.getLogger(__name__)

_WAY_OUT: dict[Precision, str] = {
    "float32": "export or copy the model again",
    "int8": "quantize or copy the model again, or set LECTERN_PRECISION=float32",
}

Array: TypeAlias = npt.NDArray[Any]
Input: TypeAlias = bytes | str


class Predictor:
    """A network with its card and its preprocessing; safe to call from several threads.

    The three steps of a prediction are public, so that a server can time and batch them:
    :meth:`prepare` one input, :meth:`probabilities` of a batch, :meth:`answer` for one row.
    """

    def __init__(
        self,
        card: Card,
        session: ort.InferenceSession,
        prepare: Callable[..., Array],
        *,
        precision: Precision = "float32",
    ) -> None:
        self.card = card
        self.precision = precision
        self._session = session
        self._prepare = prepare
        self._output = session.get_outputs()[0].name

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
            folder: Holds ``model.onnx``, ``model.int8.onnx`` where the card tells of one, and, for texts,
                ``vocabulary.txt``.
            card: The folder's card.
            providers: As :func:`service.inference.session.open_session` takes them.
            threads: Threads within one call.
            precision: Which form of the network; ``auto`` takes the faster one here. A model without an 8-bit
                form, and every model on a graphics processor, runs in ``float32``.
            arena: Keep memory between runs, as :func:`service.inference.session.open_session` takes it; not
                for texts, whose runs differ in size.

        Raises:
            ChecksumMismatch: The network's file is not the one that the card describes.
            ModelError: A file is missing, cannot be loaded, or is not what the card describes.
            ProviderError: A provider that was asked for cannot be had.
        """

        def opened(form: Precision) -> ort.InferenceSession:
            path, keep = path_of(folder, form), arena and card.task != "text-classification"
            return _open(path, card, form, providers=providers, threads=threads, arena=keep)

        wanted = settle(card, precision, on_cpu=runs_on_cpu(providers))
        if wanted == "auto":
            float32, int8 = opened("float32"), opened("int8")
            used = faster(card, float32, int8)
            session = int8 if used == "int8" else float32
        else:
            used, session = wanted, opened(wanted)
        if precision != "float32":
            _log.info("%s %s runs in %s (LECTERN_PRECISION is %s)", card.name, card.version, used, precision)
        return cls(card, session, _preparation(card, folder), precision=used)

    @property
    def providers(self) -> tuple[str, ...]:
        """ONNX Runtime's names of the providers that are in use, in order of preference."""
        return tuple(self._session.get_providers())

    @property
    def takes_text(self) -> bool:
        """Whether inputs are texts rather than picture files."""
        return self.card.task == "text-classification"

    def prepare(self, value: Input, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Array:
        """Turn one input into the array that the network takes, without the batch dimension.

        Args:
            value: The bytes of a picture file, or a text, as the model's task demands.
            max_pixels: Largest picture that is decoded.

        Returns:
            uint8 pixels (height, width) or (height, width, 3), or int32 ids (n,).

        Raises:
            InputError: The input is of the wrong type, damaged, blank, wordless or too large.
        """
        if self.takes_text:
            if not isinstance(value, str):
                raise InvalidInput(f"{self.card.name} reads texts, and got the bytes of a file; send a text")
            return self._prepare(value)
        if not isinstance(value, bytes):
            raise InvalidInput(
                f"{self.card.name} reads pictures, and got a text; send the bytes of a picture file"
            )
        return self.prepare_image(decode_image(value, max_pixels=max_pixels))

    def prepare_image(self, image: Image.Image) -> Array:
        """Turn a decoded picture into the array that the network takes, without the batch dimension.

        Args:
            image: Upright, of mode ``L``, ``RGB`` or ``RGBA``, as ``decode_image`` returns it.

        Returns:
            uint8 pixels (height, width) or (height, width, 3).

        Raises:
            InputError: The picture is blank, or the model classifies texts.
        """
        if self.takes_text:
            raise InvalidInput(f"{self.card.name} classifies texts, and got a picture; send a text")
        return self._prepare(image)

    def stack(self, rows: Sequence[Array]) -> Array:
        """Put prepared inputs into one batch, ids filled up with padding."""
        if self.takes_text:
            return pad(rows)
        # For the one picture of most requests, `np.stack` would take forty times as long.
        return rows[0][np.newaxis] if len(rows) == 1 else np.stack(rows)

    def probabilities(self, batch: Array) -> npt.NDArray[np.float32]:
        """Run the network.

        Args:
            batch: What :meth:`stack` returned: uint8 (batch, height, width[, 3]) or int32 (batch, n).

        Returns:
            float32 array (batch, labels); each row sums to 1.

        Raises:
            InvalidInput: The batch's type or shape is not what the card's ``input`` says.
        """
        spec = self.card.input
        fits = len(batch.shape) == len(spec.shape) and all(
            wanted in (-1, got) for wanted, got in zip(spec.shape, batch.shape, strict=True)
        )
        if batch.dtype != spec.dtype or not fits or batch.size == 0:
            raise InvalidInput(
                f"{self.card.name} takes {spec.dtype} of shape {list(spec.shape)} (-1: any, but not 0), "
                f"and got {batch.dtype} of shape {list(batch.shape)}"
            )
        result: npt.NDArray[np.float32] = self._session.run([self._output], {spec.name: batch})[0]
        return result

    def answer(self, probabilities: npt.NDArray[np.float32], *, top_k: int | None = None) -> Prediction:
        """Turn one row of :meth:`probabilities` into a prediction.

        Args:
            probabilities: float32 array (labels,).
            top_k: How many labels to name, 1 or more; all of them if None.

        Raises:
            InvalidInput: ``top_k`` is below 1.
        """
        if top_k is not None and top_k < 1:
            raise InvalidInput(f"top_k is {top_k}; it must be a whole number from 1")
        scores = tuple(starmap(Score, rank(probabilities, self.card.labels, top_k=top_k)))
        return Prediction(
            model=self.card.name,
            version=self.card.version,
            scores=scores,
            unsure=scores[0].score < self.card.unsure_below,
        )

    def predict(self, inputs: Sequence[Input], *, top_k: int | None = None) -> list[Prediction]:
        """Classify picture files or texts, all in one batch.

        Args:
            inputs: The bytes of picture files, or texts.
            top_k: How many labels to name, 1 or more; all of them if None.

        Returns:
            One prediction an input, in the same order.

        Raises:
            InputError: One of the inputs cannot be used.
        """
        if not inputs:
            return []
        batch = self.stack([self.prepare(value) for value in inputs])
        return [self.answer(row, top_k=top_k) for row in self.probabilities(batch)]

    def best_label(self, row: Array) -> str:
        """Return the most probable label of one prepared input."""
        return self.answer(self.probabilities(self.stack([row]))[0], top_k=1).best.label

    def warm(self) -> None:
        """Run the network once, so that the first caller does not wait for first-time work."""
        self.probabilities(ones(self.card))


def _open(
    path: Path, card: Card, precision: Precision, *, providers: Sequence[str], threads: int, arena: bool
) -> ort.InferenceSession:
    """Open one of the network's files, once it is known to be the one that the card describes."""
    described = card.quantized if precision == "int8" and card.quantized else card.onnx
    try:
        checksum = sha256_of(path)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); {_WAY_OUT[precision]}") from error
    if checksum != described.sha256:
        raise ChecksumMismatch(
            f"{path}: SHA-256 is {checksum[:12]}…, its card says {described.sha256[:12]}…; "
            f"the file is damaged or of another export: {_WAY_OUT[precision]}"
        )
    session = open_session(path, providers=providers, threads=threads, arena=arena)
    _check_described(path, card, session)
    return session


def _check_described(path: Path, card: Card, session: ort.InferenceSession) -> None:
    """Refuse a network that does not take or give what its card says; it would fail at the first request."""
    spec, takes, gives = card.input, session.get_inputs()[0], session.get_outputs()[0]
    # ONNX Runtime gives a free dimension as a name or None.
    shape = [size if isinstance(size, int) else -1 for size in takes.shape]
    found = (takes.name, takes.type, shape, gives.shape[-1])
    wanted = (spec.name, f"tensor({spec.dtype})", list(spec.shape), len(card.labels))
    if found != wanted:
        raise ModelError(
            f"{path}: input and number of outputs are {found}, its card says {wanted}; export the model again"
        )


def _preparation(card: Card, folder: Path) -> Callable[..., Array]:
    """Return the function that makes the network's input from a decoded picture or a text."""
    match card.input.preprocessing:
        case "digit":
            return prepare_digit
        case "garment":
            return prepare_garment
        case "photo":
            return partial(prepare_photo, size=card.input.shape[1])
        case "text":
            return _read_vocabulary(card, folder / "vocabulary.txt").encode


def _read_vocabulary(card: Card, path: Path) -> Vocabulary:
    vocabulary, wanted = Vocabulary.read(path), card.input.parameters.get("words")
    if wanted is not None and len(vocabulary.words) != wanted:
        raise ModelError(
            f"{path}: has {len(vocabulary.words)} words, its card says {wanted}; export the model again"
        )
    return vocabulary
