"""Results are those of single runs, one a recipe."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from service.inference.catalog import BUNDLED, Catalog
from training import cli, workflows
from training.errors import RunError
from training.reporting.results import read_results, record_result


@pytest.mark.parametrize(("name", "version"), [("cifar10", 2), ("mnist", 2)])
def test_a_network_of_several_runs_is_not_recorded_as_the_result_of_a_recipe(
    tmp_path: Path, name: str, version: int
) -> None:
    path = tmp_path / "results.json"

    with pytest.raises(RunError, match="holds results of single runs"):
        record_result(Catalog(BUNDLED).card(name, version), path)

    assert read_results(path) == {}


@pytest.mark.parametrize("words", [("--run", "a", "--run", "b"), ("--data", ".")])
def test_a_result_that_cannot_be_recorded_is_refused_before_the_export(
    monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    def export(job: workflows.ExportJob) -> None:
        pytest.fail("the model was exported")

    monkeypatch.setattr(workflows, "run_export", export)

    result = CliRunner().invoke(cli.export, ["mnist-dense", "--record", *words])

    assert result.exit_code == 2
    assert "--record is for a single run on the recipe's own data set" in result.output
