"""The command ``./run bench gpu``: all models on a GPU, compared with the CPU.

Needs no package but those of the server and ``onnxruntime-gpu`` with its CUDA libraries.
"""

from collections.abc import Sequence
from pathlib import Path

import click
from gpu.buffers import buffer_table, measure_buffers
from gpu.models import MAX_DIFFERENCES, PROVIDERS, ModelResult, fall_back, measure, table, two_models
from msgspec.structs import replace

from service.inference.catalog import Catalog
from service.inference.errors import LecternError
from service.settings import Settings


@click.command()
@click.option(
    "--provider", type=click.Choice(list(PROVIDERS)), default="cuda", show_default=True, help="cpu to try it."
)
@click.option("--fp16", is_flag=True, help="Half precision, with --provider tensorrt.")
@click.option("--model", "names", multiple=True, help="Measure this model; can be given several times.")
@click.option("--seconds", default=1.0, show_default=True, help="Time for each figure.")
def gpu(provider: str, fp16: bool, names: tuple[str, ...], seconds: float) -> None:
    """Compare all models on a GPU with the CPU.

    Prints the largest difference of the probabilities, the time of the start, and inputs per second for
    batches of 1 to 256: of a bare loop / of the server's engine, and of the loop on the CPU. Then the same of
    a loop whose inputs and outputs stay in buffers of the GPU / with a CUDA graph, which the server does not
    use. Then it runs two models at once, and without a GPU. Takes three minutes. Ends with status 1 if
    probabilities differ by more than 0.001, or by more than 0.01 in half precision.
    """
    if fp16 and provider != "tensorrt":
        raise click.UsageError("--fp16 is for TensorRT; add --provider tensorrt")
    settings = replace(Settings.from_environment(), providers=PROVIDERS[provider], tensorrt_fp16=fp16)
    try:
        results = _run(settings, names, seconds=seconds)
    except LecternError as error:  # such as a provider that is not there
        raise click.ClickException(str(error)) from error
    if any(result.difference > MAX_DIFFERENCES[fp16] for result in results):
        raise click.ClickException(
            f"probabilities differ from the CPU's by more than {MAX_DIFFERENCES[fp16]}"
        )


def _run(settings: Settings, names: Sequence[str], *, seconds: float) -> list[ModelResult]:
    models = Path(settings.models)
    catalog = Catalog(models)
    cards = [catalog.card(name) for name in names] or list(catalog)
    results = [measure(card, settings, seconds=seconds) for card in cards]
    click.echo(table(results))
    device = "cpu" if settings.providers == ("cpu",) else "cuda"
    buffers = [measure_buffers(card, models, device=device, seconds=seconds) for card in cards]
    click.echo(f"\nInputs and outputs in buffers / with a CUDA graph:\n\n{buffer_table(buffers)}")
    if len(cards) > 1:
        alone, together = two_models(cards[:2], settings, seconds=seconds)
        click.echo(
            f"\nTwo models at once: {together / alone:.2f} of their inputs per second one after the other."
        )
    click.echo(f"Without a visible GPU, networks run with {fall_back(settings)}.")
    return results
