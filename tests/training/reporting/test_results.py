"""Results are those of single runs, one a recipe."""

from pathlib import Path

import pytest

from service.inference.catalog import BUNDLED, Catalog
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
