"""The tables show the figures of cards and results, each in a row of its own."""

import pytest

from service.inference.catalog import BUNDLED, Catalog
from training.recipes import load_recipe
from training.reporting.results import read_results
from training.reporting.tables import models_table, recipes_table, summary_table


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
        assert rows[name][3] == f"{result.accuracy:.4f}"


def test_the_models_table_has_all_versions_and_their_figures() -> None:
    rows = _cells(models_table())

    catalog = Catalog(BUNDLED)
    cards = [catalog.card(card.name, version) for card in catalog for version in catalog.versions(card.name)]
    assert set(rows) - {"model"} == {f"{card.name} {card.version}" for card in cards}
    for card in cards:
        assert rows[f"{card.name} {card.version}"][1] == f"{card.metrics.accuracy:.4f}"
    assert rows["mnist 2"][4:6] == ["96.9%: 99.97%", "98.63%"]
    assert rows["imdb 2"][5] == "–"
    assert rows["cifar10 2"][6].endswith(") ms")


def test_the_summary_has_the_default_models() -> None:
    rows = _cells(summary_table())

    assert set(rows) - {"model"} == {card.name for card in Catalog(BUNDLED)}
    assert rows["mnist"][0] == "Handwritten digits"
    assert float(rows["mnist"][1].rstrip("%")) == pytest.approx(99.6, abs=0.2)
