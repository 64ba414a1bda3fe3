"""Converts arrays as callers have them to the batch of a network: their shape, scale and encoding."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from service.inference.card import Card
from service.inference.errors import InputTooLarge, InvalidInput, InvalidTensor, shorten
from service.inference.preprocessing.edges import soften_edges
from service.inference.preprocessing.levels import to_grey_levels
from service.inference.preprocessing.table import LARGEST

Array: TypeAlias = npt.NDArray[Any]
# What the numbers of an array for a model of texts are: word ids of the network's vocabulary, or for each
# word of it whether the text has it.
Encoding = Literal["ids", "multi_hot"]
ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)
# Limits of one run of a network: inputs, and their bytes. Activations can take hundreds of times as much.
_ROWS_PER_RUN = 64
_BYTES_PER_RUN = 1 << 20
# Of pictures: number, height, width and channels.
_MOST_DIMENSIONS = 4


class BatchShape(NamedTuple):
    """How an array is read as a batch.

    Attributes:
        sizes: Shape with the number of inputs first, and for pictures the network's shape after it.
        is_single: Whether the array is one input without a batch dimension.
    """

    sizes: tuple[int, ...]
    is_single: bool


def batch_shape(shape: Sequence[int], card: Card, *, encoding: Encoding = "ids") -> BatchShape:
    """Find out how an array of some shape is read; this needs no data.

    A network of pictures of shape ``row`` takes (n, *row), a single picture of shape ``row``, both with a
    last dimension of 1 if it is grey, and flattened rows: (n, product) and (product,). A network of texts
    takes (n, ids). A network of tables takes (n, columns), and a single row (columns,).

    Args:
        shape: Shape of the array.
        card: Card of the model.
        encoding: What the numbers are; for models of texts.

    Raises:
        InvalidTensor: The model does not take the shape.
        InputTooLarge: A row of ids is longer than the vocabulary.
    """
    sizes, row = tuple(shape), tuple(card.input.shape[1:])
    if sizes and sizes[1:] == row and sizes[0] > 0:
        return BatchShape(sizes, False)
    if card.reads == "texts":
        if len(sizes) == 2 and min(sizes) > 0:
            _check_width(sizes[1], card, encoding)
            return BatchShape(sizes, False)
    else:
        flat = math.prod(row)
        rows = (row, (*row, 1), (flat,)) if card.input.color_mode == "L" else (row, (flat,))
        if sizes and sizes[1:] in rows and sizes[0] > 0:
            return BatchShape((sizes[0], *row), False)
        if sizes in rows:
            return BatchShape((1, *row), True)
    raise InvalidTensor(_wrong_shape(sizes, card))


def network_batch(values: Array, shape: BatchShape, card: Card, *, encoding: Encoding = "ids") -> Array:
    """Convert an array to the batch of a network.

    Args:
        values: Integers, floating-point numbers or booleans, with as many numbers as ``shape`` says.
            Pixels as :func:`~service.inference.preprocessing.levels.to_grey_levels` takes them, of which
            digits with hard edges are softened; the columns of a table in the order of the card, with NaN
            for missing values.
        shape: What :func:`batch_shape` returned.
        card: Card of the model.
        encoding: What the numbers are; for models of texts.

    Returns:
        uint8 (batch, height, width[, 3]), int32 (batch, n) of ids from 0 to the number of words, or float32
        (batch, columns); without a copy if ``values`` is that already.

    Raises:
        InvalidTensor: A number is not one that the model takes.
        InvalidInput: All values of a row are missing.
    """
    spec = card.input
    batch = values.reshape(shape.sizes)
    if card.reads == "tables":
        return _table_values(batch, name=spec.name)
    if card.reads == "pictures":
        pixels = to_grey_levels(batch, name=spec.name)
        if spec.preprocessing == "digit":
            pixels = soften_edges(pixels)
        return pixels if pixels.flags.c_contiguous else np.ascontiguousarray(pixels)
    if encoding == "multi_hot":
        return _ids_of_words(batch, name=spec.name)
    return _check_ids(batch, card)


def split_rows(batch: Array) -> Iterator[Array]:
    """Split a batch into parts for single runs, so that the memory of a run does not grow with the batch.

    Args:
        batch: (n, …) inputs of a network.

    Yields:
        (m, …) inputs, of which only the last array can have fewer rows than the others.
    """
    rows = max(1, min(_ROWS_PER_RUN, _BYTES_PER_RUN // max(1, batch[:1].nbytes)))
    for start in range(0, len(batch), rows):
        yield batch[start : start + rows]


def _check_width(width: int, card: Card, encoding: Encoding) -> None:
    """Check the number of ids in a row: distinct words are at most as many as the vocabulary has."""
    words = card.input.parameters.get("words", math.inf)
    if (length := card.input.length) is not None:
        if encoding == "multi_hot":
            raise InvalidTensor(
                f"{card.name} {card.version} reads words in their order, which a multi-hot row does not "
                "have; send the ids in the order of the text, or the text"
            )
        if width > length:
            raise InputTooLarge(
                f"{width} ids a text are more than the {length} that {card.name} {card.version} reads; send "
                "the first ones, or the text"
            )
        return
    if encoding == "multi_hot":
        if width != words + 1:
            raise InvalidTensor(
                f"a multi-hot row for {card.name} has {words + 1} numbers, one for the padding and one for "
                f"each word of the model's vocabulary, and got {width}; rows over another vocabulary, such "
                "as Keras's, are of other words: send the texts"
            )
        return
    if width > words:
        raise InputTooLarge(
            f"{width} ids a text are more than {words}; send each word's id once, or with the encoding "
            "multi_hot a number for each id"
        )


def _wrong_shape(sizes: tuple[int, ...], card: Card) -> str:
    spec = card.input
    row = list(spec.shape[1:])
    taken = [[-1, *row]]
    if card.reads == "tables":
        taken.append(row)
    elif card.reads == "pictures":
        taken += [[-1, *row, 1], row] if spec.color_mode == "L" else [row]
        taken.append([-1, math.prod(row)])
    shapes = ", ".join(map(str, taken[:-1])) + f" or {taken[-1]}" if len(taken) > 1 else str(taken[0])
    got = shorten(list(sizes))
    return f"{card.name} takes {spec.name} of shape {shapes} (-1: any, but not 0), and got {got}" + _hint(
        sizes, card
    )


def _hint(sizes: tuple[int, ...], card: Card) -> str:
    """Return what the caller has probably done, and the way out."""
    row = tuple(card.input.shape[1:])
    if card.reads == "texts":
        return "; pad the rows of ids with 0 to the same length" if len(sizes) == 1 else ""
    if card.reads == "tables":
        names = [column["name"] for column in card.input.parameters["columns"]]
        return f"; the columns are {', '.join(names)}"
    height, width = row[:2]
    if 0 in sizes:
        return "; it is empty"
    if sizes[-3:] in ((1, height, width), (3, height, width)):
        return "; channels first? Move them to the end"
    if len(sizes) > _MOST_DIMENSIONS:
        return "; too many dimensions: remove those of size 1"
    is_one = sizes[2:] in ((1,), (3,), (4,))
    if sizes[:2] == (height, width) and len(sizes) in (3, 4) and not is_one:
        return "; is the number of pictures last? Move it to the front"
    if sizes[-3:] in ((height, width, 3), (height, width, 4)):
        wanted = "grey" if card.input.color_mode == "L" else "RGB without transparency"
        return f"; the network reads {wanted}"
    if sizes[-2:] == (height, width) or sizes[-3:] == (height, width, 1):
        return "; grey? The network reads RGB: repeat the grey levels three times"
    return "; send pictures of another size as files, which the server scales" if len(sizes) >= 2 else ""


def _table_values(values: Array, *, name: str) -> Array:
    """Check and return the rows of a table; see :func:`network_batch`."""
    wrong = np.abs(values.astype(np.float64)) > LARGEST
    if wrong.any():
        raise InvalidTensor(
            f"{name} must hold finite numbers of 32 bits, or NaN for missing values, and holds "
            f"{values[wrong][0]}"
        )
    rows = np.require(values, dtype=np.float32, requirements=["A", "C"])
    empty = np.flatnonzero(np.isnan(rows).all(axis=1))
    if empty.size:
        raise InvalidInput(f"all values in row {empty[0]} of {name} are missing; send at least one")
    return rows


def _check_ids(values: Array, card: Card) -> Array:
    """Check and return ids, distinct ones unless the network reads sequences; see :func:`network_batch`."""
    name, dtype = card.input.name, np.dtype(card.input.dtype)
    highest = int(card.input.parameters.get("words", np.iinfo(dtype).max))
    # Half-precision numbers cannot be compared with limits beyond their own range.
    exact = values.astype(np.float64) if values.dtype.kind == "f" else values
    wrong = ~((exact >= 0) & (exact <= highest))
    if exact.dtype.kind == "f":
        wrong |= np.floor(exact) != exact
    if wrong.any():
        raise InvalidTensor(
            f"{name} must hold whole numbers from 0 to {highest}, the ids of the words in the model's "
            f"vocabulary, and holds {exact[wrong][0]}"
        )
    # ONNX Runtime needs aligned numbers; those in a request's body may not be.
    ids = np.require(exact, dtype=dtype, requirements=["A", "C"])
    if card.input.length is not None:
        if (np.diff((ids != 0).astype(np.int8), axis=1) > 0).any():
            raise InvalidTensor(
                f"{name} has ids after a 0 in a row; 0 is the padding at the end of a text whose ids are in "
                "order"
            )
        return ids
    ordered = np.sort(ids, axis=1)
    repeated = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] != 0)
    if repeated.any():
        way = (
            "a multi-hot array over the model's vocabulary needs the encoding multi_hot; for one over "
            "another vocabulary, such as Keras's, send the text"
            if ids.max() == 1
            else "send each word's id once, or send the text; ids of another vocabulary, such as Keras's, "
            "are other words"
        )
        raise InvalidTensor(
            f"{name} has the id {ordered[:, 1:][repeated][0]} more than once in a row, but ids are those of "
            f"a text's distinct words; {way}"
        )
    return ids


def _ids_of_words(values: Array, *, name: str) -> Array:
    """Return the ids of the words that each row of a multi-hot array has, padded with 0."""
    present = values == 1
    wrong = ~present & (values != 0)
    if wrong.any():
        raise InvalidTensor(
            f"{name} of the encoding multi_hot must hold 0 and 1, and holds {values[wrong][0]}"
        )
    counts = present.sum(axis=1)
    ids = np.zeros((len(values), max(1, int(counts.max()))), dtype=np.int32)
    rows, found = np.nonzero(present)
    ids[rows, np.concatenate([np.arange(count) for count in counts])] = found
    return ids
