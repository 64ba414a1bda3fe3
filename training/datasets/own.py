"""Declares a data set of the user's own, from inputs in memory and their labels."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from training.datasets.dataset import Dataset, DatasetDeclaration, Examples
from training.datasets.folder import model_name
from training.datasets.splits import MIN_EXAMPLES, divide
from training.errors import DatasetError


def declare(
    name: str,
    inputs: Sequence[str] | npt.NDArray[np.uint8],
    labels: Sequence[str],
    *,
    source: str = "the user's own data",
    license: str = "the user's own",
) -> DatasetDeclaration:
    """Declare a data set for a recipe of one's own.

    70 % of each class are for training, 15 % for validation and 15 % for the test, drawn with a fixed seed.
    All copies of an input are in one split.

    Args:
        name: Name of the data set, and of the models that are trained on it: small letters, digits and _.
        inputs: Texts, or uint8 images (n, side, side) or (n, side, side, 3), of the side that the network
            takes.
        labels: The label of each input. In alphabetical order they are the labels of the model.
        source: Origin of the data, for people.
        license: Its licence.

    Raises:
        DatasetError: The name cannot be part of an address, the inputs are of another form, the
            numbers of inputs and labels differ, or a label has too few different inputs.
    """
    if name != model_name(name):
        raise DatasetError(f"{name!r} cannot be the name of a data set; use {model_name(name)}")
    if isinstance(inputs, str) or isinstance(labels, str):
        raise DatasetError(f"{name}: has one text in place of a list of texts; give a list")
    x = _as_array(name, inputs)
    if len(x) != len(labels):
        raise DatasetError(
            f"{name}: has {len(x)} inputs and {len(labels)} labels; give one label for each input"
        )
    dataset = _make_dataset(name, x, labels, source=source, license=license)
    return DatasetDeclaration(
        name=name,
        labels=dataset.labels,
        file_names=(),
        splits=" + ".join(f"{count:,}" for count in dataset.splits.values()),
        source=source,
        license=license,
        fetch=lambda declaration, progress: None,
        load=lambda declaration, size: dataset,
    )


def _make_dataset(
    name: str, x: npt.NDArray[Any], labels: Sequence[str], *, source: str, license: str
) -> Dataset:
    """Number the labels, and divide the examples into splits."""
    names, y = np.unique(np.array([_label(name, label) for label in labels]), return_inverse=True)
    examples = Examples(x, y.astype(np.int64))
    contents = [
        value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value.tobytes() for value in x
    ]
    division = divide(examples, contents, classes=len(names))
    _check_counts(name, dict(zip(names.tolist(), division.counts, strict=True)))
    checksum = hashlib.sha256("\0".join(names).encode() + examples.y.tobytes())
    for content in contents:
        checksum.update(hashlib.sha256(content).digest())
    return Dataset(
        name=name,
        labels=tuple(names.tolist()),
        train=division.train,
        validation=division.validation,
        test=division.test,
        sha256=checksum.hexdigest(),
        source=source,
        license=license,
        copies=division.copies,
    )


def _label(name: str, label: object) -> str:
    """Return a label as text; a missing one, such as None or NaN, is an error."""
    if label is None or label != label or not str(label).strip():
        raise DatasetError(f"{name}: has an input without a label ({label!r}); leave such inputs out")
    return str(label)


def _as_array(name: str, inputs: Sequence[str] | npt.NDArray[np.uint8]) -> npt.NDArray[Any]:
    """Return texts as an object array (n,), and images as they are."""
    if isinstance(inputs, np.ndarray) and inputs.dtype != object:
        if inputs.dtype != np.uint8 or inputs.ndim not in (3, 4) or inputs.shape[1] != inputs.shape[2]:
            raise DatasetError(
                f"{name}: has an array of {inputs.dtype} {list(inputs.shape)}; images are uint8 "
                "(n, side, side) or (n, side, side, 3)"
            )
        return inputs
    texts = np.empty(len(inputs), dtype=object)
    for index, text in enumerate(inputs):  # to assign a list would take equal arrays for further axes
        texts[index] = text
    if not all(isinstance(text, str) for text in texts):
        raise DatasetError(
            f"{name}: has inputs that are neither texts nor an array of images; stack single images with "
            "numpy.stack"
        )
    return texts


def _check_counts(name: str, counts: Mapping[str, int]) -> None:
    """Check that there are classes, and enough different inputs of each."""
    if len(counts) < 2:
        raise DatasetError(f"{name}: has {len(counts)} labels; a classifier needs two or more")
    for label, count in counts.items():
        if count < MIN_EXAMPLES:
            raise DatasetError(
                f"{name}: the label {label} has {count} different inputs, and needs {MIN_EXAMPLES}"
            )
