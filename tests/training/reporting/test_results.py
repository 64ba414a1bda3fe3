"""Results are those of single runs, one a recipe; the tables show the figures of results and cards."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from service.inference.catalog import BUNDLED, Catalog
from training import cli
from training.errors import RunError
from training.recipes import load_recipe
from training.reporting.results import (
    models_table,
    read_results,
    recipes_table,
    record_result,
    summary_table,
)
from training.workflows import export_job


@pytest.mark.parametrize(("name", "version"), [("cifar10", 3), ("mnist", 2)])
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
    def export(job: export_job.ExportJob) -> None:
        pytest.fail("the model was exported")

    monkeypatch.setattr(export_job, "run_export", export)

    result = CliRunner().invoke(cli.export, ["mnist-dense", "--record", *words])

    assert result.exit_code == 2
    assert "--record is for a single run on the recipe's own data set" in result.output


def _cells(table: str) -> dict[str, list[str]]:
    """Return the cells of each row by the first one, and check that all rows are of the same length."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    assert len({len(row) for row in rows}) == 1
    return {row[0].strip("`"): row[1:] for row in rows if not row[0].startswith("--")}


def test_the_recipes_table_has_each_recipes_own_result() -> None:
    rows = _cells(recipes_table())

    results = read_results()
    assert next(iter(rows)) == "recipe"
    assert set(rows) - {"recipe"} == set(results)
    for name, result in results.items():
        lecture = load_recipe(name).lecture_accuracy
        assert rows[name][0] == result.dataset
        assert rows[name][2] == (f"{lecture:.4f}" if lecture else "–")
        measure = load_recipe(name).head.measure
        assert rows[name][3] == ("" if measure == "accuracy" else "R² ") + f"{result.accuracy:.4f}"


def test_the_models_table_has_all_versions_and_their_figures() -> None:
    rows = _cells(models_table())

    catalog = Catalog(BUNDLED)
    cards = [catalog.card(card.name, version) for card in catalog for version in catalog.versions(card.name)]
    assert set(rows) - {"model"} == {f"{card.name} {card.version}" for card in cards}
    for card in cards:
        int8 = f" ({card.quantized.metrics.accuracy:.4f})" if card.quantized else ""
        assert rows[f"{card.name} {card.version}"][1] == f"{card.metrics.accuracy:.4f}{int8}"
    assert rows["mnist 2"][4:6] == ["97.0%: 99.97%", "99.01%"]
    assert rows["imdb 2"][5] == "–"
    assert rows["cifar10 1"][6].endswith(") ms")


def test_the_summary_has_the_default_models() -> None:
    rows = _cells(summary_table())

    assert set(rows) - {"model"} == {card.name for card in Catalog(BUNDLED)}
    assert rows["mnist"][0] == "Handwritten digits"
    assert float(rows["mnist"][1].rstrip("%")) == pytest.approx(99.6, abs=0.2)


def test_results_keep_one_row_for_each_recipe(tmp_path: Path, models_folder: Path) -> None:
    path = tmp_path / "results.json"
    card = Catalog(models_folder).card("mnist", 1)

    for _ in range(2):
        record_result(card, path)

    assert read_results(path)["mnist-convnet"].accuracy == card.metrics.accuracy
    assert len(json.loads(path.read_text())) == 1
