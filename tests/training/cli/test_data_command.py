"""The command ``data`` lists the data sets, and clears their cache."""

from pathlib import Path

from click.testing import CliRunner
from training_commands import call

from training import cli


def test_data_lists_cached_and_missing_sets(mnist_cache: Path) -> None:
    result = call(cli.data)

    assert "mnist  0 MB" in result.output
    assert "imdb  missing; ./run data imdb" in result.output
    assert "wine  part of scikit-learn" in result.output
    assert result.output.count("licence: ") == 10


def test_cleaning_the_cache_takes_no_names(cache: Path) -> None:
    assert "leave out the names" in CliRunner().invoke(cli.data, ["--clean", "mnist"]).output
