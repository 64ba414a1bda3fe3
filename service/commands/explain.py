"""Defines the command ``explain``."""

import io
from pathlib import Path

import click
from PIL import Image

from service.commands.catalog import open_catalog, version_option
from service.commands.inputs import read_file
from service.inference.errors import InputError, InvalidInput, OutputError
from service.inference.explain import Explainer
from service.inference.files import write_atomically
from service.inference.overlay import filter_sheet, heat_overlay, map_sheet
from service.inference.predictor import Predictor


@click.command()
@click.argument("model")
@click.argument("picture", type=click.Path(path_type=Path), required=False)
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("why.png"), help="PNG file to write [why.png]."
)
@click.option("--label", help="Label to explain; the most probable one if not given.")
@click.option("--layer", help="Convolutional layer whose feature maps to show instead of a heat map.")
@click.option(
    "--filters", is_flag=True, help="Show the filters of the first convolutional layer; needs no PICTURE."
)
@version_option
def explain(
    model: str,
    picture: Path | None,
    out: Path,
    label: str | None,
    layer: str | None,
    filters: bool,
    version: int | None,
) -> None:
    """Explain a prediction: draw a heat map over the picture, a layer's feature maps, or filters.

    \b
    Examples:
      lectern explain cats_vs_dogs cat.jpg --out why.png
      lectern explain mnist digit.png --layer whitening
      lectern explain cifar10 --filters --out filters.png
    """
    if filters and (picture or label):
        raise click.UsageError("--filters shows weights, which need neither a picture nor a label")
    if picture is None and not filters:
        raise click.UsageError("name a PICTURE to explain, or show the filters with --filters")
    if picture and out.exists() and picture.exists() and out.samefile(picture):
        raise InvalidInput(
            f"{out}: is the picture itself, which would be lost; choose another file with --out"
        )
    catalog = open_catalog()
    explainer = catalog.explainer(model, version)
    if picture is None:
        sheet, subject = _draw_filters(explainer, layer)
    else:
        predictor = catalog.predictor(model, version)
        sheet, subject = _draw_explanation(predictor, explainer, picture, label=label, layer=layer)
    stream = io.BytesIO()
    sheet.save(stream, "PNG")
    try:
        write_atomically(out, stream.getvalue())
    except OSError as error:
        raise OutputError(
            f"{out}: cannot be written ({error.strerror}); choose another file with --out"
        ) from error
    click.echo(f"{out}: {explainer.card.name} {explainer.card.version}, {subject}")


def _draw_filters(explainer: Explainer, layer: str | None) -> tuple[Image.Image, str]:
    """Draw the filters of the first convolutional layer; return the image and what it shows."""
    weights = explainer.filters()
    first = explainer.layers[0]
    if layer not in (None, first):
        raise InvalidInput(
            f"--filters shows the first convolutional layer of {explainer.card.name}, {first}, whose filters "
            f"are small pictures; for what {layer} finds, name a PICTURE and leave out --filters"
        )
    return filter_sheet(weights), f"filters of layer {first}"


def _draw_explanation(
    predictor: Predictor, explainer: Explainer, picture: Path, *, label: str | None, layer: str | None
) -> tuple[Image.Image, str]:
    """Draw a heat map over a picture, or a layer's feature maps; return the image and what it shows."""
    try:
        pixels = predictor.prepare(read_file(str(picture)))
    except InputError as error:
        raise type(error)(f"{picture}: {error}") from error
    if layer is not None:
        return map_sheet(explainer.feature_maps(pixels, layer=layer)), f"layer {layer}"
    shown = label or predictor.classify([pixels], top_k=1)[0].best.label
    return heat_overlay(pixels, explainer.heat(pixels, label=shown)), f"label {shown}"
