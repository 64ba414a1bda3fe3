"""Defines the command ``experiment``."""

from pathlib import Path

import click
from rich.console import Console

from service.inference.program import command
from training.backend import load_keras
from training.cli.shared import ask, runs_option, yes_option
from training.experiments import experiment_names, load_experiment


@click.command()
@click.argument("name", required=False)
@click.option("--quick", is_flag=True, help="Use few examples and epochs. This takes less than two minutes.")
@click.option(
    "--whole",
    is_flag=True,
    help="Use all examples and epochs, also in an experiment that is shortened to an hour.",
)
@click.option(
    "--record", is_flag=True, help="Also store the table and the picture for training/experiments/README.md."
)
@runs_option
@yes_option
def experiment(name: str | None, quick: bool, whole: bool, record: bool, runs: Path, yes: bool) -> None:
    """List the experiments of the lecture, or carry out the named one.

    An experiment trains several runs and compares them. It uses a finished run with the same settings, also
    one of another experiment or of `lectern train`, and continues an interrupted one. It writes curves, a
    table and comments on them to RUNS/experiments/NAME.

    \b
    Examples:
      lectern experiment
      lectern experiment dropout
      lectern experiment pooling --quick
      lectern experiment cats-dogs --whole
    """
    console = Console(highlight=False, markup=False, soft_wrap=True)
    if name is None:
        if quick or whole or record:
            raise click.UsageError("--quick, --whole and --record need the name of an experiment")
        _list(console)
        return
    if quick and whole:
        raise click.UsageError("--quick and --whole exclude each other; give one of them")
    if record and (quick or whole):
        raise click.UsageError("--record stores the figures of the usual form; leave out --quick and --whole")
    chosen = load_experiment(name)
    load_keras(converts=False)
    from training.reporting.experiments import report_text
    from training.workflows.experiment_job import ExperimentJob, run_experiment
    from training.workflows.hints import runs_options, shown

    job = ExperimentJob(
        experiment=chosen,
        runs=runs,
        form="quick" if quick else "whole" if whole else "usual",
        record=record,
        confirm=lambda question: yes or ask(question),
    )
    try:
        report = run_experiment(job, console=console)
    except KeyboardInterrupt:
        options = [*(["--quick"] if quick else []), *(["--whole"] if whole else [])]
        options += [*(["--record"] if record else []), *runs_options(runs)]
        console.print(f"Interrupted. Continue with: {command('experiment', name, *options)}")
        raise
    console.print(f"\n{chosen.title}\n\n{report_text(chosen, report)}\n")
    if quick:
        console.print("The quick form shows that the experiment works; its figures mean little.")
    console.print(f"{shown(job.folder / 'report.md')} and {shown(job.folder / 'curves.png')}")


def _list(console: Console) -> None:
    names = experiment_names()
    width = max(map(len, names))
    for name in names:
        chosen = load_experiment(name)
        console.print(f"{name:{width}}  {chosen.title} ({len(chosen.variants)} runs)")
