"""Owns the folder of one version: the network that carries its own card, and replacing it as a whole."""

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


def put_card(proto: onnx.ModelProto, card: Card) -> None:
    """Put the card into the file it describes, without the checksum and size that the file cannot know."""
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
    """Give an empty folder to fill, and let it take the place of a version if nothing goes wrong.

    Args:
        target: ``models/<name>/<version>``.
    """
    home = target.parent
    home.mkdir(parents=True, exist_ok=True)
    # Folders that begin with a dot are no versions to the catalogue, so a half-made one is never served.
    work = Path(tempfile.mkdtemp(dir=home, prefix=f".{target.name}-"))
    try:
        yield work
        work.chmod(0o755)
        _replace(target, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)
        if not any(home.iterdir()):
            home.rmdir()


def rewrite(
    folder: Path,
    card: Card,
    *,
    network: onnx.ModelProto | None = None,
    explanation: onnx.ModelProto | None = None,
    pictures: Mapping[str, bytes] | None = None,
) -> Card:
    """Give a version another card, in ``card.json`` and within ``model.onnx``; all files change together.

    Args:
        folder: Of the version.
        card: What it is to say; checksums and sizes are filled in here.
        network: In place of the one that is there.
        explanation: In place of the ``explain.onnx`` that is there.
        pictures: Other files to replace, by name.

    Returns:
        The card as it was written.
    """
    proto = network or onnx.load(folder / NETWORK)
    with new_folder(folder) as work:
        shutil.copytree(folder, work, dirs_exist_ok=True)
        if explanation is not None and card.explanation is not None:
            path = work / EXPLANATION
            write_atomically(path, explanation.SerializeToString())
            card = replace(
                card,
                explanation=replace(card.explanation, sha256=sha256_of(path), bytes=path.stat().st_size),
            )
        put_card(proto, card)
        write_atomically(work / NETWORK, proto.SerializeToString())
        card = replace(card, onnx=describe_file(work / NETWORK, opset=card.onnx.opset))
        write_card(card, work / "card.json")
        for name, content in (pictures or {}).items():
            write_atomically(work / name, content)
    return card


def _replace(target: Path, work: Path) -> None:
    """Let a finished folder take the place of an older one."""
    old = target.with_name(f".{target.name}-old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    work.rename(target)
    shutil.rmtree(old, ignore_errors=True)
