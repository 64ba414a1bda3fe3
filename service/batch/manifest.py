"""Writes down what a batch is before it begins: its settings, and the inputs of each shard."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Literal

import msgspec
import pyarrow as pa
from msgspec import Struct
from pyarrow import parquet as pq

from service.batch.errors import FolderInUse
from service.batch.sources import MANIFEST, STATE, Input
from service.inference.files import file_version, replaced, sha256_of, write_atomically

# Programs that read a folder of results skip files and folders whose names begin with _ or a dot.
SUCCESS = "_SUCCESS"
_INPUTS = "inputs.parquet"
Format = Literal["parquet", "jsonl"]

_SCHEMA = pa.schema([("path", pa.binary()), ("member", pa.binary()), ("row", pa.int64())])


class Settings(Struct, frozen=True, kw_only=True):
    """What decides the results of a batch.

    Attributes:
        model: Name of the model.
        version: Its version.
        sha256: SHA-256 of the network's file, in 64 hexadecimal digits.
        precision: Form of the network.
        sources: Sources as the user named them.
        column: Column of tables; found by its type if None.
        top_k: Number of labels in a row; all of them if None.
        shard_size: Inputs of a shard; the last one may have fewer.
        batch_size: Inputs of one run of the network.
        format: Form of the results.
    """

    model: str
    version: int
    sha256: str
    precision: Literal["float32", "int8"]
    sources: tuple[str, ...]
    column: str | None
    top_k: int | None
    shard_size: int
    batch_size: int
    format: Format


class Manifest(Struct, frozen=True, kw_only=True):
    """A batch.

    Attributes:
        settings: What decides the results.
        count: Number of inputs.
        inputs_sha256: SHA-256 of the file that lists the inputs.
        stamps: Size and time of change of each archive and table among the sources, by its path.
        working_folder: To which the paths of inputs are relative; None if they are not.
        schema: Version of this form.
    """

    settings: Settings
    count: int
    inputs_sha256: str
    stamps: Mapping[str, str]
    working_folder: str | None
    schema: Literal[2] = 2

    @property
    def shards(self) -> int:
        """The number of shards."""
        return -(-self.count // self.settings.shard_size)

    def size(self, shard: int) -> int:
        """Return the number of inputs of a shard."""
        return min(self.settings.shard_size, self.count - shard * self.settings.shard_size)


def part_name(shard: int, form: Format) -> str:
    """Return the name of the file of a shard's results."""
    return f"part-{shard:05}.{form}"


def write_inputs(folder: Path, inputs: Iterable[Input], *, shard_size: int) -> tuple[int, str]:
    """Write the file that lists the inputs, with one row group for each shard.

    Args:
        folder: Folder of the results.
        inputs: The inputs.
        shard_size: Inputs of a shard.

    Returns:
        The number of inputs, and the SHA-256 of the file.

    Raises:
        OSError: The file cannot be written.
    """
    count, rest, path = 0, iter(inputs), folder / STATE / _INPUTS
    path.parent.mkdir(exist_ok=True)
    with replaced(path) as stream, pq.ParquetWriter(stream, _SCHEMA) as writer:
        while shard := list(islice(rest, shard_size)):
            writer.write_table(_table(shard), row_group_size=shard_size)
            count += len(shard)
    return count, sha256_of(path)


class InputList:
    """The inputs of a batch, as :func:`write_inputs` has written them."""

    def __init__(self, folder: Path) -> None:
        # Opened here, because pyarrow takes only names that are UTF-8.
        self._stream = (folder / STATE / _INPUTS).open("rb")
        self._file = pq.ParquetFile(self._stream)

    def __getitem__(self, shard: int) -> list[Input]:
        """Return the inputs of a shard."""
        columns = self._file.read_row_group(shard).to_pydict()
        rows: Iterator[tuple[bytes, bytes, int]] = zip(*columns.values(), strict=True)
        return [Input(os.fsdecode(path), os.fsdecode(member), row) for path, member, row in rows]

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest, the last file that is written before a batch begins."""
    # Not msgspec's own JSON: names of files need not be UTF-8.
    document = json.dumps(msgspec.to_builtins(manifest), indent=1)
    write_atomically(folder / STATE / MANIFEST, f"{document}\n".encode())


def read_manifest(folder: Path) -> Manifest | None:
    """Return the manifest of a folder; None if it has none.

    Raises:
        FolderInUse: The manifest, or the list of inputs, is damaged.
    """
    path, inputs = folder / STATE / MANIFEST, folder / STATE / _INPUTS
    try:
        manifest = msgspec.convert(json.loads(path.read_bytes()), Manifest)
    except FileNotFoundError:
        return None
    except (ValueError, msgspec.MsgspecError) as error:
        raise FolderInUse(f"{path}: is no manifest of a batch ({error}); choose another folder") from error
    try:
        listed = sha256_of(inputs)
    except OSError as error:
        listed = error.strerror or "missing"
    if listed != manifest.inputs_sha256:
        raise FolderInUse(f"{inputs}: is not the list of this batch; --overwrite begins again")
    return manifest


def manifest_version(folder: Path) -> tuple[int, ...]:
    """Return numbers that change when another batch begins in a folder."""
    return file_version(folder / STATE / MANIFEST)


def has_manifest(folder: Path) -> bool:
    """Return whether a folder has a manifest, which may be damaged."""
    return (folder / STATE / MANIFEST).exists()


def remove_manifest(folder: Path) -> None:
    """Delete the manifest of a folder, if it has one."""
    (folder / STATE / MANIFEST).unlink(missing_ok=True)


def _table(shard: list[Input]) -> pa.Table:
    columns = {
        "path": [os.fsencode(item.path) for item in shard],
        "member": [os.fsencode(item.member) for item in shard],
        "row": [item.row for item in shard],
    }
    return pa.table(columns, schema=_SCHEMA)
