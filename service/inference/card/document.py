"""Reads and writes ``card.json``, the document of a model card."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import msgspec
from msgspec.structs import force_setattr

from service.inference.card.card import Card, ColorMode, Dtype, PreprocessingKind, Task
from service.inference.card.migration import migrate_card
from service.inference.card.part import CardPart
from service.inference.errors import CardError, shorten
from service.inference.files import model_file_name, open_regular, write_atomically

SCHEMA_VERSION = 2

_CHOICES = {"task": Task, "dtype": Dtype, "color_mode": ColorMode, "preprocessing": PreprocessingKind}
_INVALID_CHOICE = "Invalid enum value '"  # beginning of msgspec's message
_FEWEST_LABELS = 2  # of a classifier


def read_card(path: Path) -> Card:
    """Read and check a card.

    Args:
        path: The ``card.json``.

    Returns:
        The card; one of an older schema version is migrated.

    Raises:
        CardError: The file cannot be read, is not JSON, or a field is missing or wrong.
    """
    source = model_file_name(path)
    try:
        with open_regular(path) as stream:
            document = msgspec.json.decode(stream.read())
    except OSError as error:
        raise CardError(f"{source}: cannot be read ({error.strerror}); export the model again") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise CardError(f"{source}: is not JSON ({error}); export the model again") from error
    return parse_card(document, source=source)


def parse_card(document: object, *, source: str) -> Card:
    """Make a card from decoded JSON.

    Args:
        document: The decoded JSON.
        source: File or address of the document, for error messages.

    Returns:
        The card; one of an older schema version is migrated.

    Raises:
        CardError: A field is missing or wrong.
    """
    if not isinstance(document, Mapping):
        raise CardError(f"{source}: the card must be a JSON object")
    document = migrate_card(document)
    version = document.get("schema_version")
    if version != SCHEMA_VERSION:
        raise CardError(
            f"{source}: schema_version is {shorten(version)}, this Lectern reads 1 and {SCHEMA_VERSION}"
        )
    try:
        card = msgspec.convert(document, Card)
    except msgspec.ValidationError as error:
        raise CardError(f"{source}: {_describe(error)}") from error
    _check_consistency(card, source)
    _keep_unknown_fields(card, document)
    return card


def card_document(part: CardPart) -> dict[str, Any]:
    """Return a card, or a part of one, as the JSON object that ``card.json`` holds, with unknown fields."""
    document: dict[str, Any] = _to_builtins(part)
    return document


def write_card(card: Card, path: Path) -> None:
    """Check a card and write it, replacing the file atomically.

    Args:
        card: The card.
        path: The ``card.json``.

    Raises:
        CardError: A field has a wrong value.
        OSError: The file cannot be written; the old one is unchanged.
    """
    document = card_document(card)
    parse_card(document, source=str(path))
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(path, text.encode())


def _check_consistency(card: Card, source: str) -> None:
    if len(set(card.labels)) < len(card.labels):
        raise CardError(f"{source}: field labels: expected different labels")
    if card.task.endswith("-classification") and len(card.labels) < _FEWEST_LABELS:
        raise CardError(f"{source}: field labels: expected at least {_FEWEST_LABELS}")
    name = "regression" if card.task == "regression" else "metrics"
    if getattr(card, name) is None:
        raise CardError(f"{source}: field {name} is missing; export the model again")
    length = card.input.parameters.get("length")
    if card.input.preprocessing == "sequence" and not (isinstance(length, int) and length >= 1):
        raise CardError(
            f"{source}: field input.parameters.length: expected the largest number of words, from 1"
        )


def _describe(error: msgspec.ValidationError) -> str:
    problem, _, place = str(error).partition(" - at `$")
    path = place.strip("`.")
    if problem.startswith("Object missing required field"):
        name = problem.split("`")[1]
        return f"field {f'{path}.{name}' if path else name} is missing; export the model again"
    if problem.startswith(_INVALID_CHOICE):
        value = problem.removeprefix(_INVALID_CHOICE).removesuffix("'")
        choices = get_args(_CHOICES[path.rpartition(".")[2]])
        return f"field {path}: {shorten(value)} is not one of {', '.join(choices)}"
    return f"field {path}: {problem[0].lower()}{problem[1:]}"


def _keep_unknown_fields(part: CardPart, document: Mapping[str, Any]) -> None:
    """Set ``extra`` of a part, and of the parts in it, to the fields that it does not know."""
    known = [name for name in part.__struct_fields__ if name != "extra"]
    force_setattr(part, "extra", {key: value for key, value in document.items() if key not in known})
    for name in known:
        value = getattr(part, name)
        if isinstance(value, CardPart):
            _keep_unknown_fields(value, document[name])
        elif isinstance(value, tuple) and value and isinstance(value[0], CardPart):
            for item, source in zip(value, document[name], strict=True):
                _keep_unknown_fields(item, source)


def _to_builtins(value: Any) -> Any:
    if isinstance(value, CardPart):
        fields = {name: getattr(value, name) for name in value.__struct_fields__ if name != "extra"}
        return {key: _to_builtins(part) for key, part in (fields | dict(value.extra)).items()}
    if isinstance(value, Mapping):
        return {key: _to_builtins(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_to_builtins(part) for part in value]
    return value
