"""Writes the folder of a model version: all files change together, and the network contains its card."""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import onnx
from msgspec.structs import replace

from service.inference.card import Card, OnnxFile, card_document, write_card
from service.inference.explain import FILE_NAME as EXPLANATION
from service.inference.files import sha256_of, write_atomically

NETWORK = "model.onnx"


def embed_card(proto: onnx.ModelProto, card: Card) -> None:
    """Write the card into the metadata of its network, without the file's checksum and size."""
    document = card_document(card)
    document["onnx"] = {"opset": card.onnx.opset}
    onnx.helper.set_model_props(proto, {"card": json.dumps(document, ensure_ascii=False)})
    proto.producer_name, proto.producer_version = "lectern", ""
    proto.doc_string = card.title


def describe_file(path: Path, *, opset: int) -> OnnxFile:
    """Return a network's checksum and size for its card."""
    return OnnxFile(sha256=sha256_of(path), bytes=path.stat().st_size, opset=opset)


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Yield an empty folder that replaces a version's folder, unless an error is raised.

    Args:
        target: ``models/<name>/<version>``.
    """
    parent = target.parent
    parent.mkdir(parents=True, exist_ok=True)
    # The catalogue ignores folders whose name begins with a dot, so it never serves an unfinished one.
    work = Path(tempfile.mkdtemp(dir=parent, prefix=f".{target.name}-"))
    try:
        yield work
        work.chmod(0o755)
        _replace(target, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)
        if not any(parent.iterdir()):
            parent.rmdir()


def rewrite(
    folder: Path,
    card: Card,
    *,
    network: onnx.ModelProto | None = None,
    explanation: onnx.ModelProto | None = None,
    files: Mapping[str, bytes] | None = None,
) -> Card:
    """Replace a version's card, in ``card.json`` and in ``model.onnx``, and other files if given.

    Args:
        folder: The version's folder.
        card: The new card; checksums and sizes are filled in.
        network: Replaces ``model.onnx``.
        explanation: Replaces ``explain.onnx``.
        files: Other files to replace, by name.

    Returns:
        The card as it was written.
    """
    proto = network or onnx.load(folder / NETWORK)
    with new_folder(folder) as work:
        shutil.copytree(folder, work, dirs_exist_ok=True)
        if explanation is not None and card.explanation is not None:
            path = work / EXPLANATION
            write_atomically(path, explanation.SerializeToString())
            described = replace(card.explanation, sha256=sha256_of(path), bytes=path.stat().st_size)
            card = replace(card, explanation=described)
        embed_card(proto, card)
        write_atomically(work / NETWORK, proto.SerializeToString())
        card = replace(card, onnx=describe_file(work / NETWORK, opset=card.onnx.opset))
        write_card(card, work / "card.json")
        for name, content in (files or {}).items():
            write_atomically(work / name, content)
    return card


def _replace(target: Path, work: Path) -> None:
    """Move a finished folder to the place of an older one."""
    old = target.with_name(f".{target.name}-old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    work.rename(target)
    shutil.rmtree(old, ignore_errors=True)
