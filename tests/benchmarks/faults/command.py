"""The command ``./run bench faults``."""

import resource
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from faults import report
from faults.bench import Bench
from faults.results import Results, read_results
from faults.runner import SCENARIOS, run
from peers.errors import BenchmarkError
from peers.systems import ROOT

_FOLDER = ROOT / ".bench" / "faults"
# A connection needs a descriptor; the scenarios open a thousand of them.
_DESCRIPTORS = 4096


@click.command()
@click.option(
    "--only", "names", multiple=True, metavar="NAME", help="Run this scenario; can be given several times."
)
@click.option("--short", is_flag=True, help="The short form: four minutes instead of 50.")
@click.option(
    "--minutes", type=click.FloatRange(0.1, 10_000), help="Duration of the soak test [30; short: 1]."
)
@click.option(
    "--out", type=click.Path(path_type=Path), default=_FOLDER, help="Folder for the results [.bench/faults]."
)
@click.option("--readme", "to_readme", is_flag=True, help="Write the table into tests/README.md.")
@click.argument("file", required=False, type=click.Path(path_type=Path))
def faults(
    names: tuple[str, ...], short: bool, minutes: float | None, out: Path, to_readme: bool, file: Path | None
) -> None:
    """Measure how Lectern behaves under too much load, with hostile clients, and when parts of it fail.

    Starts the real server for each scenario, and prints what is promised beside what was measured. With
    --readme and the FILE of an earlier run, measures nothing. Ends with status 1 if a promise was not kept.
    Needs Linux; for all rows also wrk and HAProxy.

    \b
    Examples:
      ./run bench faults --short
      ./run bench faults --only soak --minutes 120
      ./run bench faults --readme .bench/faults/results.json
    """
    try:
        if file and not to_readme:
            raise BenchmarkError(f"{file}: a file is read with --readme only")
        if names and to_readme:
            raise BenchmarkError("--readme needs all scenarios; leave --only out")
        results = _results(names, short, minutes, out, file)
        if to_readme:
            report.write(results)
    except BenchmarkError as error:
        _log(str(error))
        sys.exit(2)
    click.echo(report.markdown(results))
    sys.exit(1 if results.missed else 0)


def _results(
    names: Sequence[str], short: bool, minutes: float | None, out: Path, file: Path | None
) -> Results:
    if file:
        return read_results(file)
    for name in names:
        if name not in SCENARIOS:
            raise BenchmarkError(f"there is no scenario {name!r}; choose from {', '.join(SCENARIOS)}")
    # If the terminal is closed, the servers have to be stopped as with Ctrl+C.
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    _allow_descriptors()
    bench = Bench(short, minutes or (1 if short else 30), out.resolve())
    results = run([name for name in SCENARIOS if not names or name in names], bench, log=_log)
    (out / "results.json").write_text(results.to_json(), encoding="utf-8")
    _log(f"written: {out / 'results.json'}")
    return results


def _allow_descriptors() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(_DESCRIPTORS, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _log(message: str) -> None:
    click.echo(f"bench: {message}", err=True)
