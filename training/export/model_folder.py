"""Writes the folder of a model version: all files change together, and the network contains its card."""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec
import onnx

from service.inference.card import Card, card_document, write_card
from service.inference.explain import FILE_NAME as EXPLANATION
from service.inference.files import sha256_of, write_atomically
from training.errors import ExportError

NETWORK = "model.onnx"


@contextmanager
def new_folder(target: Path, *, replace: bool) -> Iterator[Path]:
    """Yield an empty folder that becomes a version's folder, unless an error is raised.

    Args:
        target: ``models/<name>/<version>``.
        replace: Whether the version exists and is replaced.

    Raises:
        ExportError: The version exists, and is not to be replaced.
    """
    parent = target.parent
    parent.mkdir(parents=True, exist_ok=True)
    # The catalogue ignores folders whose name begins with a dot, so it never serves an unfinished one.
    work = Path(tempfile.mkdtemp(dir=parent, prefix=f".{target.name}-"))
    try:
        yield work
        work.chmod(0o755)
        if replace:
            _replace(target, work)
        else:
            _create(target, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)
        if not any(parent.iterdir()):
            parent.rmdir()


def write_files(
    folder: Path,
    card: Card,
    *,
    network: onnx.ModelProto,
    explanation: onnx.ModelProto | None = None,
    files: Mapping[str, bytes] | None = None,
) -> Card:
    """Write a version's network and its card, and other files if given.

    Args:
        folder: The folder to write to.
        card: The card; checksums and sizes are filled in.
        network: Content of ``model.onnx``, in which the card is embedded.
        explanation: Content of ``explain.onnx``, which the card describes.
        files: Contents of other files, by name.

    Returns:
        The card as it was written.
    """
    if explanation is not None and card.explanation is not None:
        checksum, size = _write_graph(folder / EXPLANATION, explanation)
        card = msgspec.structs.replace(
            card, explanation=msgspec.structs.replace(card.explanation, sha256=checksum, bytes=size)
        )
    _embed_card(network, card)
    checksum, size = _write_graph(folder / NETWORK, network)
    card = msgspec.structs.replace(card, onnx=msgspec.structs.replace(card.onnx, sha256=checksum, bytes=size))
    write_card(card, folder / "card.json")
    for name, content in (files or {}).items():
        write_atomically(folder / name, content)
    return card


def rewrite(
    folder: Path,
    card: Card,
    *,
    network: onnx.ModelProto | None = None,
    explanation: onnx.ModelProto | None = None,
    files: Mapping[str, bytes] | None = None,
) -> Card:
    """Replace the card of an existing version, and other files if given; see :func:`write_files`."""
    network = network or onnx.load(folder / NETWORK)
    with new_folder(folder, replace=True) as work:
        shutil.copytree(folder, work, dirs_exist_ok=True)
        return write_files(work, card, network=network, explanation=explanation, files=files)


def _write_graph(path: Path, proto: onnx.ModelProto) -> tuple[str, int]:
    """Write a graph and return the file's checksum and size."""
    write_atomically(path, proto.SerializeToString())
    return sha256_of(path), path.stat().st_size


def _create(target: Path, work: Path) -> None:
    """Move a finished folder to its place, where another command may have written a version meanwhile."""
    try:
        if target.exists():  # to rename a folder replaces an empty one
            raise FileExistsError(target)
        work.rename(target)
    except OSError as error:
        if not target.exists():
            raise
        raise ExportError(
            f"{target}: exists, and versions are never overwritten; nothing was written. Export again, "
            "without --version for the next free one"
        ) from error


def _replace(target: Path, work: Path) -> None:
    """Move a finished folder to the place of an older one."""
    old = target.with_name(f".{target.name}-old")
    shutil.rmtree(old, ignore_errors=True)
    target.rename(old)
    try:
        work.rename(target)
    except BaseException:
        old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _embed_card(proto: onnx.ModelProto, card: Card) -> None:
    """Write the card into the metadata of its network, without the file's checksum and size."""
    document = card_document(card)
    document["onnx"] = {"opset": card.onnx.opset}
    onnx.helper.set_model_props(proto, {"card": json.dumps(document, ensure_ascii=False)})
    proto.producer_name, proto.producer_version = "lectern", ""
    proto.doc_string = card.title
