"""Keeps the examples of a lesson as files, ``<folder>/<label>/<checksum>``."""

import contextlib
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

from desktop.folder.batch import find_images
from desktop.pictures.dropped_files import read_file
from desktop.teach.lesson import Example
from service.inference.errors import InputError
from service.inference.files import output_error, write_atomically
from service.inference.preprocessing import decode_image

MAX_EXAMPLES = 2000
# Larger pictures are reduced to this many pixels a side: networks read fewer.
MAX_SIDE = 512
_MAX_LABEL, _QUALITY = 40, 95


class ExampleSet:
    """The examples below a folder, which need not exist."""

    def __init__(self, folder: Path) -> None:
        """Remember the folder."""
        self.folder = folder

    def examples(self) -> tuple[Example, ...]:
        """Return all examples, the labels in alphabetical order, and the oldest of each first."""
        found: list[Example] = []
        for folder in self._folders():
            files = [path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")]
            files.sort(key=lambda path: (path.stat().st_mtime_ns, path.name))
            found += [Example(folder.name, path) for path in files]
        return tuple(found)

    def add(self, label: str, data: bytes) -> Path:
        """Keep a picture, once.

        Args:
            label: Its label, which :func:`clean_label` has returned.
            data: The bytes of a picture file.

        Raises:
            InputError: It is no picture.
            OSError: The folder cannot be written.
        """
        picture = decode_image(data)
        if max(picture.size) > MAX_SIDE:
            picture.thumbnail((MAX_SIDE, MAX_SIDE))
            stream = io.BytesIO()
            picture.convert("RGB").save(stream, "JPEG", quality=_QUALITY)
            data = stream.getvalue()
        folder = self.folder / label
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / hashlib.sha256(data).hexdigest()[:16]
        write_atomically(path, data)
        return path

    def add_folder(self, folder: Path) -> Iterator[object]:
        """Keep the pictures of a folder's subfolders, which are named after their labels.

        Files that cannot be read are left out.

        Yields:
            The number of pictures so far.

        Raises:
            OutputError: The folder of the examples cannot be written.
        """
        count, room = 0, MAX_EXAMPLES - len(self.examples())
        for path in find_images(folder):
            label = clean_label(path.relative_to(folder).parts[0]) if path.parent != folder else ""
            if not label or count >= room:
                continue
            try:
                self.add(label, read_file(path))
            except InputError:
                continue
            except OSError as error:
                raise output_error(error, default=self.folder) from error
            count += 1
            yield count

    def remove(self, example: Example) -> None:
        """Delete an example, and the folder of its label with its last one.

        Raises:
            OSError: The example cannot be deleted.
        """
        example.path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # It has other examples, or is deleted already.
            example.path.parent.rmdir()

    def _folders(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        return sorted(path for path in self.folder.iterdir() if path.is_dir() and path.name[0] != ".")


def clean_label(text: str) -> str:
    """Return a label that can be the name of a folder; empty if nothing of the text is left."""
    kept = "".join(
        character if character.isprintable() and character not in '/\\:*?"<>|' else "_" for character in text
    )
    return kept.strip(" .")[:_MAX_LABEL].strip(" .")
