"""The command ``./run bench peers``."""

import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
from peers import readme
from peers.chart import svg
from peers.errors import BenchmarkError
from peers.report import markdown
from peers.results import Results, merge, read_results
from peers.runner import Plan, run
from peers.systems import ROOT, all_systems

_FOLDER = ROOT / ".bench"


@click.command()
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1, 100), help="Repetitions.")
@click.option(
    "--seconds", default=2, show_default=True, type=click.IntRange(1, 600), help="Duration of a measurement."
)
@click.option(
    "--only", "names", multiple=True, metavar="NAME", help="Measure this system; can be given several times."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=_FOLDER / "results",
    help="Folder for the results [.bench/results].",
)
@click.option(
    "--readme", "to_readme", is_flag=True, help="Measure nothing; combine FILES into tests/README.md."
)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
def peers(
    rounds: int, seconds: int, names: tuple[str, ...], out: Path, to_readme: bool, files: tuple[Path, ...]
) -> None:
    """Measure Lectern beside other model servers, all with the same ONNX file.

    Builds each in a virtual environment of its own (.bench, 1.3 GB), starts them, loads one at a time, and
    writes tables, a chart and all results. Needs wrk and Linux. Takes about seven minutes.

    \b
    Examples:
      ./run bench peers
      ./run bench peers --only lectern --only fastapi --rounds 5
      ./run bench peers --readme first.json second.json third.json
    """
    try:
        if to_readme:
            if not files:
                raise BenchmarkError("--readme needs the JSON files of one or more runs")
            readme.write(merge([read_results(path) for path in files]))
            return
        if files:
            raise BenchmarkError(f"{files[0]}: files are read with --readme only")
        chosen = _choose(names)
        # If the terminal is closed, the servers have to be stopped as with Ctrl+C.
        for number in (signal.SIGHUP, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)
        _write(run(Plan(chosen, rounds, seconds, _FOLDER), log=_log), out)
    except BenchmarkError as error:
        _log(str(error))
        sys.exit(2)


def _choose(names: Sequence[str]) -> tuple[str, ...]:
    known = tuple(all_systems())
    for name in names:
        if name not in known:
            raise BenchmarkError(f"there is no system {name!r}; choose from {', '.join(known)}")
    # Every ratio needs Lectern.
    return tuple(name for name in known if not names or name in names or name == "lectern")


def _write(results: Results, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    stem = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    (out / f"{stem}.json").write_text(results.to_json(), encoding="utf-8")
    (out / f"{stem}.svg").write_text(svg(results), encoding="utf-8")
    text = markdown(results)
    (out / f"{stem}.md").write_text(f"{text}\n\n![Requests per second]({stem}.svg)\n", encoding="utf-8")
    click.echo(text)
    _log(f"written: {out / stem}.json, .md and .svg")


def _log(message: str) -> None:
    click.echo(f"bench: {message}", err=True)
