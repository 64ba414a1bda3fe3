"""Checks the files of a model against its card: checksums, the network's input and output, the vocabulary."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from PIL import Image

from service.inference.card import Card, OnnxFile, QuantizedFile
from service.inference.errors import CardError, ModelError
from service.inference.files import check_sha256, model_file_name
from service.inference.precision import Precision, dummy_batch, onnx_path
from service.inference.preprocessing import Vocabulary
from service.inference.preprocessing.table import Table

VOCABULARY_FILE = "vocabulary.txt"

_REMEDIES: dict[Precision, str] = {
    "float32": "export or copy the model again",
    "int8": "quantize or copy the model again, or set LECTERN_PRECISION=float32",
}
_MAX_SUM_ERROR = 1e-3
# ONNX Runtime's names of the types that differ from NumPy's.
_ONNX_TYPES = {"float32": "float"}


def check_network_file(folder: Path, card: Card, precision: Precision) -> Path:
    """Check that a network's file is the one that the card describes.

    Args:
        folder: Folder of the model's version.
        card: Card of the model.
        precision: Precision of the network.

    Returns:
        The file.

    Raises:
        ChecksumMismatch: The file is another one.
        ModelError: The file cannot be read.
    """
    path = onnx_path(folder, precision)
    file: OnnxFile | QuantizedFile = card.quantized if precision == "int8" and card.quantized else card.onnx
    check_sha256(path, file.sha256, remedy=_REMEDIES[precision])
    return path


def check_network(path: Path, card: Card, session: ort.InferenceSession) -> None:
    """Check that a network has the card's input and output, and run it once.

    Args:
        path: File of the network, for messages.
        card: Card of the model.
        session: The loaded network.

    Raises:
        ModelError: Its input or output is not the card's, it cannot be run, or it returns no probabilities,
            or no numbers if it is a regression.
    """
    spec, network_input, output = card.input, session.get_inputs()[0], session.get_outputs()[0]
    # ONNX Runtime returns a free dimension as a name or None.
    shape = [size if isinstance(size, int) else -1 for size in network_input.shape]
    actual = (network_input.name, network_input.type, shape, output.shape[-1])
    kind = _ONNX_TYPES.get(spec.dtype, spec.dtype)
    expected = (spec.name, f"tensor({kind})", list(spec.shape), len(card.labels))
    if actual != expected:
        raise ModelError(
            f"{model_file_name(path)}: input and number of outputs are {actual}, its card says {expected}; "
            "export the model again"
        )
    # Two inputs where the batch is free, so that a network that was exported for one is noticed.
    batch = np.repeat(dummy_batch(card), 2 if spec.shape[0] == -1 else 1, axis=0)
    try:
        rows = session.run([output.name], {spec.name: batch})[0]
    except Exception as error:  # ONNX Runtime's exceptions have no common base class.
        cause = " ".join(str(error).split())
        raise ModelError(
            f"{model_file_name(path)}: ONNX Runtime cannot run it ({cause}); export the model again"
        ) from error
    is_right, wanted = _check_output(rows, card)
    if rows.dtype != np.float32 or rows.shape != (len(batch), len(card.labels)) or not is_right:
        raise ModelError(
            f"{model_file_name(path)}: its output for {len(batch)} inputs is {rows.dtype} of shape "
            f"{list(rows.shape)}, or its rows {wanted}; export the model again"
        )


def _check_output(rows: npt.NDArray[np.float32], card: Card) -> tuple[bool, str]:
    """Return whether the output is what the task says, and what is wrong otherwise."""
    if card.task == "regression":
        return bool(np.isfinite(rows).all()), "hold numbers that are not finite"
    if card.task == "multi-label-classification":
        return bool(((rows >= 0) & (rows <= 1)).all()), "hold no probabilities"
    return bool(np.all(np.abs(rows.sum(axis=1) - 1) <= _MAX_SUM_ERROR)), "do not sum to 1"


def sample_picture() -> Image.Image:
    """Return a dark rectangle on white, which every preprocessing accepts."""
    picture = Image.new("RGB", (64, 64), "white")
    picture.paste("black", (20, 12, 44, 52))
    return picture


def check_preparation(card: Card, prepare: Callable[[Image.Image], npt.NDArray[np.uint8]]) -> None:
    """Check that the preprocessing of pictures makes arrays that the network takes.

    Args:
        card: Card of the model.
        prepare: Turns a decoded picture into the network's input.

    Raises:
        CardError: It makes arrays of another dtype or shape.
    """
    array, spec = prepare(sample_picture()), card.input
    if (str(array.dtype), array.shape) != (spec.dtype, spec.shape[1:]):
        raise CardError(
            f"{card.name}/{card.version}/card.json: preprocessing {spec.preprocessing!r} makes {array.dtype} "
            f"of shape {list(array.shape)}, but input is {spec.dtype} of shape {list(spec.shape[1:])}; "
            "export the model again"
        )


def read_table(card: Card) -> Table:
    """Return the columns that a model of tables reads.

    Raises:
        CardError: The card does not describe as many columns as the network has.
    """
    place = f"{card.name}/{card.version}/card.json: field input.parameters"
    try:
        table = Table.from_parameters(card.input.parameters)
    except (msgspec.ValidationError, ValueError) as error:
        raise CardError(f"{place}: {error}; export the model again") from error
    if (card.input.shape[1:], card.input.dtype) != ((len(table.names),), "float32"):
        raise CardError(
            f"{place}: has {len(table.names)} columns, and input is {card.input.dtype} of shape "
            f"{list(card.input.shape)}; export the model again"
        )
    return table


def read_vocabulary(folder: Path, card: Card) -> Vocabulary:
    """Read the vocabulary of a text model, and check its number of words.

    Raises:
        ModelError: The file cannot be read, or has another number of words than the card says.
    """
    path = folder / VOCABULARY_FILE
    vocabulary, count = Vocabulary.read(path), card.input.parameters.get("words")
    if count is not None and len(vocabulary.words) != count:
        raise ModelError(
            f"{model_file_name(path)}: has {len(vocabulary.words)} words, its card says {count}; "
            "export the model again"
        )
    return vocabulary
