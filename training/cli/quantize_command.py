"""Defines the command ``quantize``."""

from pathlib import Path

import click

from training.backend import load_keras
from training.cli.shared import choose_recipe, data_option, models_option, own_recipe_option, version_option


@click.command()
@click.argument("name")
@version_option
@models_option
@data_option
@own_recipe_option
def quantize(
    name: str, version: int | None, models: Path, data: Path | None, own_recipe: Path | None
) -> None:
    """Make the 8-bit form of an image model, model.int8.onnx, which LECTERN_PRECISION selects.

    Several calibration methods are tried, and the validation split decides between them. If the test accuracy
    drops by more than 0.3 points, nothing is written.

    Example: lectern quantize cifar10
    """
    load_keras(converts=True)
    choose_recipe(None, own_recipe)
    from training.export.quantization import Trial, quantize_model

    def announce(trial: Trial) -> None:
        kept = ", first convolutions in float32" if trial.float_nodes else ""
        metrics = trial.metrics
        click.echo(
            f"{trial.method}{kept}: accuracy {metrics.accuracy:.4f}, log-loss {metrics.log_loss:.4f} "
            "on validation"
        )

    card = quantize_model(name, version=version, models=models, data=data, announce=announce)
    quantized = card.quantized
    assert quantized is not None, "quantize_model raises an error otherwise"
    assert card.metrics is not None, "quantize_model refuses a regression"
    from training.workflows.hints import shown

    click.echo(
        f"{shown(models / card.name / str(card.version))}: accuracy {quantized.metrics.accuracy:.4f} on "
        f"{quantized.metrics.count} test examples (float32: {card.metrics.accuracy:.4f}), "
        f"{quantized.bytes / 1e6:.2f} MB ({card.onnx.bytes / 1e6:.2f} MB), "
        f"{quantized.ratio:.2f} of float32's time"
    )
