"""Defines the command ``evaluate``."""

import sys
from pathlib import Path

import click
from rich.console import Console

from service.inference.program import command
from training.backend import load_keras
from training.cli.shared import choose_recipe, data_option, models_option, own_recipe_option, version_option


@click.command()
@click.argument("name")
@version_option
@models_option
@data_option
@own_recipe_option
@click.option(
    "--latency", is_flag=True, help="Also time a prediction, and one of version 1 and of the 8-bit form."
)
@click.option("--pen-digits", is_flag=True, help="Also classify 7,494 digits that people drew with a pen.")
@click.option(
    "--pages", is_flag=True, help="Also classify digits on photos and scans of paper, boards and screens."
)
@click.option("--numbers", is_flag=True, help="Also read numbers of 2 to 6 digits.")
@click.option(
    "--long-photos", is_flag=True, help="Also classify panoramas and tall photos with the subject anywhere."
)
@click.option(
    "--garment-photos", is_flag=True, help="Also classify garments on wood, carpets, sheets and so on."
)
@click.option("--drawings", is_flag=True, help="Also classify straight strokes, letters and shapes.")
@click.option("--out-of-distribution", is_flag=True, help="Also classify images of none of the classes.")
@click.option(
    "--pictures",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="With --out-of-distribution: also classify the pictures in the subfolders of this folder.",
)
@click.option("--robustness", is_flag=True, help="Also classify shifted, rotated, blurred and noisy images.")
@click.option("--faithfulness", is_flag=True, help="Also run the deletion test of the heat maps.")
@click.option("--all", "everything", is_flag=True, help="All of these that apply to the model.")
@click.option(
    "--recalibrate",
    is_flag=True,
    help="First fit calibration and threshold on the validation split again, and write them into the model.",
)
@click.option(
    "--detector",
    is_flag=True,
    help="With --recalibrate: also fit the detector of pictures that show none of the classes.",
)
@click.option(
    "--others",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of pictures that show none of the classes; --detector needs it for models of photos.",
)
@click.option("--record", "keep", is_flag=True, help="Write the results into the model's card.")
def evaluate(
    name: str,
    version: int | None,
    models: Path,
    data: Path | None,
    own_recipe: Path | None,
    everything: bool,
    recalibrate: bool,
    detector: bool,
    others: Path | None,
    pictures: Path | None,
    keep: bool,
    **chosen: bool,
) -> None:
    """Measure a model's ONNX file on its test set and compare the results with its card.

    The exit status is 1 if a result differs from the card and is not recorded.

    \b
    Examples:
      lectern evaluate mnist
      lectern evaluate mnist --pen-digits
      lectern evaluate cifar10 --all --recalibrate --record
    """
    if detector and not recalibrate:
        raise click.UsageError("--detector changes the calibration too; give --recalibrate as well")
    if others and not detector:
        raise click.UsageError("--others is for --detector; give that as well")
    if pictures and not (everything or chosen["out_of_distribution"]):
        raise click.UsageError("--pictures is for --out-of-distribution; give that as well")
    load_keras(converts=True)
    choose_recipe(None, own_recipe)
    from service.inference.catalog import Catalog
    from training.evaluation.evaluate import evaluate as measure
    from training.evaluation.evaluate import record
    from training.evaluation.measurements import check_measurements, supported_measurements
    from training.evaluation.out_of_distribution import read_folders
    from training.reporting.printout import print_evaluation

    # Wrong options are refused before anything is written.
    card = Catalog(models).card(name, version)
    measurements = [measurement for measurement, wanted in chosen.items() if wanted]
    check_measurements(card, measurements)
    if pictures:
        read_folders(pictures)
    if recalibrate:
        _recalibrate(name, version, models, data, detector=detector, others=others)
    result = measure(
        name,
        version=version,
        models=models,
        data=data,
        pictures=pictures,
        measurements=supported_measurements(card) if everything else measurements,
        announce=click.echo,
    )
    print_evaluation(result, Console(markup=False))
    if keep:
        record(result, models=models)
    elif not result.same:
        sys.exit(1)


def _recalibrate(
    name: str,
    version: int | None,
    models: Path,
    data: Path | None,
    *,
    detector: bool,
    others: Path | None,
) -> None:
    """Recalibrate a version and print the result."""
    from service.inference.catalog import Catalog
    from training.export.recalibration import recalibrate
    from training.workflows.hints import model_options

    card = recalibrate(name, version=version, models=models, data=data, detector=detector, others=others)
    calibration, selective = card.calibration, card.selective_prediction
    assert calibration is not None, "recalibrate measures it"
    assert selective is not None, "recalibrate measures it"
    click.echo(
        f"{card.name} {card.version}: {calibration.method}, temperature {calibration.temperature:g}; unsure "
        f"below {card.unsure_below:g}; validation accuracy above that: {selective.validation.accuracy:.2%}"
    )
    catalog = Catalog(models)
    for later in catalog.versions(card.name) if card.version == 1 else ():
        other = catalog.card(card.name, later)
        compared = {"--robustness": other.robustness, "--latency": other.latency}
        options = [option for option, figures in compared.items() if figures]
        if later > 1 and options:
            words = (card.name, "--version", later, *options, "--record", *model_options(models))
            click.echo(
                f"{card.name} {later}: its card compares it with the former version 1; measure that again: "
                f"{command('evaluate', *words)}"
            )
