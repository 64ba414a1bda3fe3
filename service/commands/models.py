"""Defines the command ``models``."""

import json
from pathlib import Path
from typing import Any

import click

from service.commands.cards import card_text, print_table
from service.commands.catalog import open_catalog, version_option
from service.inference.card import Card, card_document
from service.inference.catalog import Catalog
from service.inference.errors import InvalidInput, ModelError
from service.inference.program import command
from service.inference.repository.default_version import reason_against, write_default
from service.settings import Settings


@click.command()
@click.argument("model", required=False)
@version_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--default", "promote", is_flag=True, help="Make the named version the default one.")
@click.option(
    "--force", is_flag=True, help="With --default: even if its labels differ or its accuracy is lower."
)
def models(model: str | None, version: int | None, as_json: bool, promote: bool, force: bool) -> None:
    """List all versions of all models, show the card of one, or choose its default version.

    The default version answers requests that name no version. It is marked with a star.

    \b
    Examples:
      lectern models
      lectern models cifar10 --version 1
      lectern models mnist --version 3 --default
    """
    catalog = open_catalog()
    if promote or force:
        if model is None or version is None or not promote:
            raise click.UsageError("--default needs a model and --version, and --force needs --default")
        _promote(catalog, model, version, force=force)
        return
    if model is not None:
        card = catalog.card(model, version)
        click.echo(_pretty(card_document(card)) if as_json else card_text(card))
        return
    defaults = {card.name: card.version for card in catalog}
    cards = [catalog.card(name, number) for name in defaults for number in catalog.versions(name)]
    if as_json:
        click.echo(_pretty([_row(card, is_default=defaults[card.name] == card.version) for card in cards]))
    else:
        print_table(cards, defaults)


def _row(card: Card, *, is_default: bool) -> dict[str, Any]:
    return card_document(card) | ({"default": True} if is_default else {})


def _promote(catalog: Catalog, name: str, version: int, *, force: bool) -> None:
    """Make a version the default one, unless a reason is against it."""
    settings = Settings.from_environment()
    if "://" in settings.models:
        raise InvalidInput(f"LECTERN_MODELS is an address; write {version} into {name}/default there")
    card, current = catalog.card(name, version), catalog.card(name)
    reason = reason_against(card, current=current)
    if reason and not force:
        again = command("models", name, "--version", version, "--default", "--force")
        raise ModelError(f"{name} {version} does not become the default version: {reason}; {again}")
    write_default(Path(settings.models) / name, version)
    click.echo(f"{name} {version} is the default version; before it was {current.version}")


def _pretty(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)
