"""Defines the command ``batch``."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import click

from service.batch.batch import ErrorLimit, run_batch
from service.batch.errors import BatchError, TooManyErrors
from service.batch.folder import Existing, ResultsFolder, Summary, locked
from service.batch.local_pool import LocalPool
from service.batch.manifest import Format, Settings
from service.batch.pool import Pool
from service.batch.progress import progress
from service.batch.shard import Job, network_sha256
from service.inference.card import Card
from service.inference.catalog import Catalog, model_source
from service.inference.errors import MissingExtra
from service.inference.files import printable
from service.inference.precision import Precision
from service.inference.program import command as command_line
from service.inference.program import how_to_install
from service.settings import Settings as ServerSettings
from service.whole_number import WholeNumber


class _ErrorLimitType(click.ParamType[ErrorLimit]):
    name = "N|P%"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> ErrorLimit:
        text = str(value).strip()
        share = text.endswith("%")
        try:
            number = float(text.rstrip("%")) if share else int(text)
        except ValueError:
            number = -1
        if not 0 <= number < float("inf") or (share and number > 100):
            self.fail(f"{text!r} is neither a number such as 10 nor a share such as 0.5%", param, ctx)
        return ErrorLimit(number, is_share=share)


@click.command()
@click.argument("model")
@click.argument("sources", nargs=-1, required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the results.")
@click.option(
    "--version", type=WholeNumber(min=1), help="Version of the model; the default one if not given."
)
@click.option("--top-k", type=WholeNumber(min=1), help="Number of labels in 'scores'; all if not given.")
@click.option(
    "--precision",
    type=click.Choice(["float32", "int8"]),
    default="float32",
    help="Form of the network [float32]. There is no automatic choice: it would depend on the machine.",
)
@click.option("--column", help="Column of Parquet, CSV and TSV files; found by its type if not given.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["parquet", "jsonl"]),
    default="parquet",
    help="Format of the results [parquet].",
)
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    help="Processes on this machine, or actors of a Ray cluster [local].",
)
@click.option("--address", help="Address of the Ray cluster, or auto; one is started here if not given.")
@click.option("--workers", type=WholeNumber(1, 256), help="Processes; one for each core if not given.")
@click.option("--shard-size", type=WholeNumber(1, 1_000_000), default=1000, help="Inputs of one file [1000].")
@click.option(
    "--batch-size", type=WholeNumber(1, 4096), default=8, help="Inputs of one run of the network [8]."
)
@click.option("--max-errors", type=_ErrorLimitType(), default="100%", help="Stop if more inputs fail [100%].")
@click.option("--resume", is_flag=True, help="Go on with the unfinished batch in the folder.")
@click.option("--overwrite", is_flag=True, help="Delete the batch in the folder, and begin again.")
def batch(
    model: str,
    sources: tuple[str, ...],
    out: Path,
    version: int | None,
    top_k: int | None,
    precision: Precision,
    column: str | None,
    form: Format,
    engine: str,
    address: str | None,
    workers: int | None,
    shard_size: int,
    batch_size: int,
    max_errors: ErrorLimit,
    resume: bool,
    overwrite: bool,
) -> None:
    """Predict all pictures or texts of SOURCES, and write the results to files.

    A source is a folder, a file, a zip archive, a Parquet, CSV or TSV file, or a glob pattern in quotes.
    '@FILE' names a list with a path a line. An address such as s3://bucket/folder is a source, too. An input
    that cannot be read becomes a row with an error.

    Exit status: 0 all inputs are predicted, 1 some are not, 2 the batch cannot run, 3 too many errors.

    \b
    Examples:
      lectern batch cifar10 photos/ --out results
      lectern batch mnist 'scans/**/*.png' more.zip --out results --format jsonl
      lectern batch imdb reviews.csv --column review --out results --max-errors 1%
    """
    if resume and overwrite:
        raise click.UsageError("--resume goes on with a batch, and --overwrite deletes it; choose one")
    if address is not None and engine != "ray":
        raise click.UsageError("--address is that of a Ray cluster; add --engine ray")
    existing: Existing = "resume" if resume else "overwrite" if overwrite else "refuse"
    server = ServerSettings.from_environment()
    catalog = Catalog(model_source(server.models, cache=server.model_cache))
    card = catalog.card(model, version)
    _check_task(card)
    network = catalog.folder(card).resolve()
    settings = Settings(
        model=card.name,
        version=card.version,
        sha256=network_sha256(network, precision),
        precision=precision,
        sources=sources,
        column=column,
        top_k=top_k,
        shard_size=shard_size,
        batch_size=batch_size,
        format=form,
    )
    make_pool = _pool(engine, address)
    click.get_current_context().with_resource(locked(out))
    folder = ResultsFolder(out, settings, texts=card.task == "text-classification", existing=existing)
    if folder.is_finished:
        click.echo(f"{out}: this batch is finished already; --overwrite predicts it again", err=True)
        _end(out, folder.finished_summary())
    job = Job(out.resolve(), network, Path.cwd(), settings, max_pixels=server.max_pixels)
    count = min(workers or server.resources.workers, folder.manifest.shards)
    _end(out, _run(folder, job, partial(make_pool, workers=count), limit=max_errors))


def _check_task(card: Card) -> None:
    if card.task not in ("image-classification", "text-classification"):
        raise BatchError(
            f"{card.name} is a model for {card.task}, and a batch writes one label for each picture or text; "
            f"for rows of a table use: {command_line('predict', card.name, 'FILE.csv', '--json')}"
        )


def _run(folder: ResultsFolder, job: Job, make_pool: Callable[[Job], Pool], *, limit: ErrorLimit) -> Summary:
    """Run a batch, and show its progress; exit if it is stopped."""
    try:
        with progress(folder.manifest.count) as advance:
            return run_batch(folder, job, make_pool, limit=limit, advance=advance)
    except TooManyErrors as error:
        click.echo(f"lectern: {error}", err=True)
        sys.exit(3)
    except KeyboardInterrupt:
        hint = f"the results in {folder.path} are kept, and the same command with --resume goes on"
        click.echo(f"lectern: interrupted; {hint}", err=True)
        sys.exit(130)


def _pool(engine: str, address: str | None) -> Callable[..., Pool]:
    """Return what starts the workers of a job.

    Raises:
        MissingExtra: Ray is not installed.
    """
    if engine == "local":
        return LocalPool
    try:
        from service.batch.ray_pool import RayPool  # heavy, and an extra of its own
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise MissingExtra(
            f"--engine ray needs the package ray: {how_to_install('batch --engine ray', 'batch,ray')}"
        ) from error
    return partial(RayPool, address=address)


def _end(out: Path, summary: Summary) -> NoReturn:
    """Print how the batch has ended, and exit."""
    rate = f", {summary.predicted / summary.seconds:,.0f} a second" if summary.predicted else ""
    click.echo(
        f"{printable(str(out))}: {summary.count:,} inputs, {summary.errors:,} without a prediction{rate}"
    )
    if summary.errors:
        click.echo("The field 'error' of their rows says why.", err=True)
    sys.exit(1 if summary.errors else 0)
