"""Tests of the command models: tables, cards and default versions."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec.structs
import pytest

from service.inference.card import parse_card, read_card, write_card
from service.inference.catalog import Catalog

Run = Callable[..., Any]


def test_models_lists_every_version_of_every_model(run: Run, models_folder: Path) -> None:
    catalog = Catalog(models_folder)
    lines = run("models").out.splitlines()
    expected = [(card.name, str(number)) for card in catalog for number in catalog.versions(card.name)]
    assert lines[0].split()[:2] == ["model", "version"]
    assert [tuple(line.split()[:2]) for line in lines[1:] if line[:1].strip()] == expected
    documents = json.loads(run("models", "--json").out)
    assert [(document["name"], str(document["version"])) for document in documents] == expected


def test_models_marks_the_default_version_in_the_table_and_in_json(run: Run, models_folder: Path) -> None:
    defaults = [(card.name, str(card.version)) for card in Catalog(models_folder)]
    marked = [line.split()[:2] for line in run("models").out.splitlines() if line.split()[2:3] == ["*"]]
    assert [tuple(words) for words in marked] == defaults
    documents = json.loads(run("models", "--json").out)
    assert [(row["name"], str(row["version"])) for row in documents if row.get("default")] == defaults


def test_models_prints_whole_titles_into_a_pipe(run: Run, models_folder: Path) -> None:
    text = run("models").out
    assert "…" not in text
    assert all(card.title in text for card in Catalog(models_folder))


def test_models_prints_brackets_of_a_title(
    run: Run, models_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mnist" / "1"
    shutil.copytree(models_folder / "mnist" / "1", folder)
    card = read_card(folder / "card.json")
    write_card(msgspec.structs.replace(card, title="Own pictures of [b], [/b]"), folder / "card.json")
    monkeypatch.setenv("LECTERN_MODELS", str(tmp_path))

    assert "Own pictures of [b], [/b]" in run("models").out


@pytest.fixture
def three_versions(tmp_path: Path, tiny_model: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three versions of mnist: the second one is less accurate, the third one has other labels."""
    monkeypatch.setenv("LECTERN_MODELS", str(tmp_path))
    for version, classes in ((1, 10), (2, 10), (3, 4)):
        place = tiny_model(tmp_path, version=version, bias=(0.0,) * classes)
        if version == 2:
            document = json.loads((place / "card.json").read_text())
            document["metrics"]["accuracy"] -= 0.01
            (place / "card.json").write_text(json.dumps(document))
    (tmp_path / "mnist" / "default").write_text("1")
    return tmp_path


def test_models_makes_a_version_the_default(run: Run, three_versions: Path) -> None:
    (three_versions / "mnist" / "default").write_text("2")
    result = run("models", "mnist", "--version", "1", "--default")
    assert result.out == "mnist 1 is the default version; before it was 2\n"
    assert Catalog(three_versions).card("mnist").version == 1


@pytest.mark.parametrize(
    ("version", "reason"), [("2", "its test accuracy is 0"), ("3", "its labels are 0, 1")]
)
def test_a_worse_version_becomes_the_default_only_by_force(
    run: Run, three_versions: Path, version: str, reason: str
) -> None:
    result = run("models", "mnist", "--version", version, "--default")
    assert result.status == 2
    assert reason in result.err
    assert result.err.endswith(f"run models mnist --version {version} --default --force\n")
    assert Catalog(three_versions).card("mnist").version == 1
    assert run("models", "mnist", "--version", version, "--default", "--force").status == 0
    assert Catalog(three_versions).card("mnist").version == int(version)


@pytest.mark.parametrize(
    "words", [["--default"], ["mnist", "--default"], ["mnist", "--version", "1", "--force"]]
)
def test_default_without_a_version_is_refused(run: Run, words: list[str]) -> None:
    result = run("models", *words)
    assert result.status == 2
    assert "--default needs a model and --version" in result.err


def test_models_shows_the_runs_of_an_ensemble(run: Run) -> None:
    text = run("models", "fashion_mnist", "--version", "2").out

    assert "fashion-deep, 50 epochs, seed 1, with fashion-residual, seed 1, " in text


def test_models_shows_the_figures_of_both_forms(run: Run, models_folder: Path) -> None:
    card = read_card(models_folder / "cats_vs_dogs" / "3" / "card.json")
    assert card.quantized is not None
    int8 = card.quantized.metrics

    text = run("models", "cats_vs_dogs", "--version", "3").out

    assert f"{card.metrics.accuracy:.4f} on {card.metrics.count:,} test examples\n" in text
    assert f"{int8.accuracy:.4f} on {int8.count:,} test examples in 8 bits" in text
    assert f"{int8.expected_calibration_error:.4f} expected error in 8 bits" in text
    (row,) = (line for line in run("models").out.splitlines() if line.split()[:2] == ["cats_vs_dogs", "3"])
    assert f"{card.metrics.accuracy:.2%}" in row
    assert f"{int8.accuracy:.2%}, " in row


def test_models_shows_initial_weights_and_averaged_runs(run: Run) -> None:
    text = run("models", "mnist", "--version", "2").out

    assert "mnist-strokes, 5 epochs, seed 1, with mnist-strokes, seed 2, with mnist-strokes, seed 3, " in text
    assert "after mnist-deep, seed 2, 36 epochs, " in text


def test_models_shows_a_card(run: Run, models_folder: Path) -> None:
    card = read_card(models_folder / "mnist" / "1" / "card.json")
    text = run("models", "mnist", "--version", "1").out
    assert f"{card.metrics.accuracy:.4f} on {card.metrics.count:,}" in text
    assert all(layer.name in text for layer in card.layers)
    assert text.rstrip().endswith(f"{card.parameters:,}")
    assert parse_card(json.loads(run("models", "mnist", "--version", "1", "--json").out), source="it") == card


def test_models_shows_the_latency_of_the_forms_that_were_measured(
    run: Run, models_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def latency(*words: str) -> list[str]:
        return [line for line in run("models", *words).out.splitlines() if line.startswith("latency")]

    assert latency("mnist", "--version", "2") == ["latency     0.37 ms"]
    assert latency("cats_vs_dogs", "--version", "3") == ["latency     7.8 ms, 4.3 ms in 8 bits"]
    folder = tmp_path / "mnist" / "1"
    shutil.copytree(models_folder / "mnist" / "1", folder)
    write_card(msgspec.structs.replace(read_card(folder / "card.json"), latency=None), folder / "card.json")
    monkeypatch.setenv("LECTERN_MODELS", str(tmp_path))
    assert latency("mnist") == []
