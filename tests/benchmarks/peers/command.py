"""Owns ``./run bench peers``: its words, and what it writes."""

import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
from peers import readme
from peers.chart import svg
from peers.course import Plan, run
from peers.faults import BenchError
from peers.figures import Figures, merged, read_figures
from peers.report import markdown
from peers.systems import ROOT, all_systems

_FOLDER = ROOT / ".bench"


@click.command()
@click.option(
    "--rounds", default=3, show_default=True, type=click.IntRange(1, 100), help="How often each is measured."
)
@click.option(
    "--seconds", default=2, show_default=True, type=click.IntRange(1, 600), help="Length of each measurement."
)
@click.option(
    "--only", "names", multiple=True, metavar="NAME", help="Measure this system; may be given again."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=_FOLDER / "results",
    help="Folder to write to [.bench/results].",
)
@click.option(
    "--readme", "to_readme", is_flag=True, help="Measure nothing; put FILES together into the README."
)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
def peers(
    rounds: int, seconds: int, names: tuple[str, ...], out: Path, to_readme: bool, files: tuple[Path, ...]
) -> None:
    """Measure Lectern beside other servers of models, all with the same ONNX file.

    Builds each in a virtual environment of its own (.bench, 1.3 GB), starts them, lets one at a time have the
    machine, and writes a table, a chart and all raw figures. Needs wrk, and Linux. Takes about seven minutes.

    \b
    Examples:
      ./run bench peers
      ./run bench peers --only lectern --only fastapi --rounds 5
      ./run bench peers --readme first.json second.json third.json
    """
    try:
        if to_readme:
            if not files:
                raise BenchError("--readme needs the JSON files of one or more runs")
            readme.write(merged([read_figures(path) for path in files]))
            return
        if files:
            raise BenchError(f"{files[0]}: files are read with --readme only")
        wanted = _chosen(names)
        # A terminal that is closed must not leave the servers behind: it stops them as Ctrl+C does.
        for number in (signal.SIGHUP, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)
        _write(run(Plan(wanted, rounds, seconds, _FOLDER), say=_say), out)
    except BenchError as error:
        _say(str(error))
        sys.exit(2)


def _chosen(names: Sequence[str]) -> tuple[str, ...]:
    known = tuple(all_systems())
    for name in names:
        if name not in known:
            raise BenchError(f"there is no system {name!r}; there are {', '.join(known)}")
    # Lectern is in every ratio.
    return tuple(name for name in known if not names or name in names or name == "lectern")


def _write(figures: Figures, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    stem = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    (out / f"{stem}.json").write_text(figures.to_json(), encoding="utf-8")
    (out / f"{stem}.svg").write_text(svg(figures), encoding="utf-8")
    text = markdown(figures)
    (out / f"{stem}.md").write_text(f"{text}\n\n![Requests a second]({stem}.svg)\n", encoding="utf-8")
    click.echo(text)
    _say(f"written: {out / stem}.json, .md and .svg")


def _say(words: str) -> None:
    click.echo(f"bench: {words}", err=True)
