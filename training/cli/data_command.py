"""Defines the command ``data``."""

import click
from rich.console import Console

from service.inference.program import command
from training.backend import silence_libraries


@click.command()
@click.argument("names", nargs=-1)
@click.option(
    "--clean", is_flag=True, help="Delete cached activations of pretrained networks, and cached drawings."
)
def data(names: tuple[str, ...], clean: bool) -> None:
    """List the data sets, or download the named ones.

    The files are stored in LECTERN_DATA, by default ~/.cache/lectern/data. Training on a pretrained network
    also stores activations there: at most 2 GB, or as much as one run needs. Training with redrawn digits
    stores these, 86 MB for all of MNIST. --clean deletes both.

    \b
    Examples:
      lectern data mnist imdb
      lectern data --clean
    """
    silence_libraries()
    from training.datasets import DATASETS, find_dataset
    from training.datasets.dataset import activation_folder, cache_folder
    from training.reporting.progress import download_bar

    if clean and names:
        raise click.UsageError("--clean deletes what is computed of all data sets; leave out the names")
    console = Console(highlight=False, soft_wrap=True)
    if clean:
        from training.augmentation.drawing_cache import clean_drawings
        from training.fit.feature_cache import clean_cache

        freed = clean_cache(activation_folder()) + clean_drawings()
        click.echo(f"{cache_folder()}: {freed / 1e6:.0f} MB deleted")
        return
    for name in names:
        with download_bar(console) as progress:
            find_dataset(name).ensure_cached(progress)
    for entry in DATASETS.values():
        missing = f"missing; {command('data', entry.name)}"
        size = missing if entry.bytes is None else f"{entry.bytes / 1e6:.0f} MB"
        size = size if entry.file_names else "part of scikit-learn"
        console.print(f"[bold]{entry.name}[/bold]  {size}")
        for title, text in (
            ("train + validation + test" if entry.load else "evaluation only", entry.splits),
            ("source", entry.source),
            ("licence", entry.license),
            ("stored in", ", ".join(map(str, entry.paths))),
        ):
            if text:
                console.print(f"  {title}: {text}", markup=False)
