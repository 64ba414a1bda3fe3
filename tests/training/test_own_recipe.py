"""A recipe and a data set of one's own, from a file outside the checkout: the page's example, and faults."""

import csv
import gzip
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from service.cli import lectern
from service.inference.catalog import Catalog
from training import cli, recipes
from training.datasets import DATASETS
from training.datasets.own import declare
from training.errors import DatasetError, RecipeError
from training.recipes import load_recipe_file, recipe_names

_PAGE = Path(cli.__file__).parents[1] / "README.md"
_FILE = re.compile(r"```python my_recipe\.py\n((?:(?!```).*\n)*)```")
_COMMANDS = re.compile(r"^(\./run .*my_recipe\.py.*|\./run predict comments .*)$", re.MULTILINE)


@pytest.fixture(autouse=True)
def _forget_own_recipes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave other tests without what a file of these tests declares."""
    names = set(DATASETS)
    monkeypatch.setattr(recipes, "_own", {})
    yield
    for name in set(DATASETS) - names:
        del DATASETS[name]


def _run(line: str) -> Result:
    """Run a command line of the page in this process."""
    words = shlex.split(line.partition(" # ")[0])[1:]
    return CliRunner().invoke(lectern, words)


@pytest.fixture
def folder(tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder outside the checkout with the page's file, and 150 film reviews as comments."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LECTERN_MODELS", str(tmp_path / "models"))
    found = _FILE.search(_PAGE.read_text(encoding="utf-8"))
    assert found is not None
    (tmp_path / "my_recipe.py").write_text(found[1], encoding="utf-8")
    with gzip.open(data_folder / "imdb.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    with (tmp_path / "comments.csv").open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["text", "label"])
        table.writerows([row["text"], "praise" if row["label"] else "blame"] for row in rows)
    return tmp_path


def test_example_of_the_page_is_trained_exported_and_used(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = _COMMANDS.findall(_PAGE.read_text(encoding="utf-8"))
    assert [line.split()[1] for line in lines] == ["summary", "train", "export", "evaluate", "predict"]

    results = [_run(line) for line in lines]

    assert [(result.exit_code, result.exception) for result in results] == [(0, None)] * 5
    card = Catalog(folder / "models").card("comments")
    assert (card.recipe.name, card.labels) == ("comments-dense", ("blame", "praise"))
    assert card.metrics.count >= 20
    assert "export --recipe my_recipe.py" in results[1].output
    assert "praise" in results[4].output
    monkeypatch.setattr(recipes, "_own", {})
    del DATASETS["comments"]
    unknown = _run("./run evaluate comments").exception
    assert "or name the file that declares it with --recipe" in str(unknown)


def _write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(text, encoding="utf-8")
    return path


_DENSE = "from dataclasses import replace\nfrom training.recipes import load_recipe\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import training\n\nRECIPE = undefined\n", r"mine\.py, line 3: NameError: name 'undefined'"),
        ("RECIPE = (\n", r"mine\.py, line 1: SyntaxError"),
        ("import no_such_module\n", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("x = 1\n", "has no RECIPE, as the files in training/recipes have"),
        (_DENSE + "RECIPE = load_recipe('mnist-dense')\n", "mnist-dense is the name of a recipe of Lectern"),
        (
            _DENSE + "RECIPE = replace(load_recipe('mnist-dense'), name='mine', dataset='none')\n",
            "there is no data set 'none'; set DATASET, or choose from mnist, ",
        ),
        (
            _DENSE + "RECIPE = replace(load_recipe('mnist-dense'), name='mine')\nDATASET = 3\n",
            "DATASET is no data set",
        ),
    ],
)
def test_fault_in_the_file_is_reported_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        load_recipe_file(_write(tmp_path, text))

    assert "mine" not in recipe_names()


def _train(*words: object) -> Result:
    return CliRunner().invoke(cli.train, [str(word) for word in words])


def test_file_and_name_of_a_recipe_exclude_each_other(tmp_path: Path) -> None:
    path = _write(tmp_path, _DENSE + "RECIPE = replace(load_recipe('mnist-dense'), name='mine')\n")

    result = _train("mnist-dense", "--recipe", path)

    assert result.exit_code == 2
    assert "--recipe is for a file in place of mnist-dense" in result.output
    assert "does not exist" in _train("--recipe", tmp_path / "nothing.py").output
    assert "name a file of your own with --recipe mine.py" in str(_train("mine.py").exception)
    assert str(_train("unknown").exception).endswith("or name a file of your own with --recipe")


def test_images_of_another_shape_than_the_networks_are_refused(tmp_path: Path) -> None:
    images = (
        "import numpy as np\nfrom training.datasets.own import declare\n"
        "x = np.random.default_rng(0).integers(0, 256, (40, 12, 12), dtype=np.uint8)\n"
        "DATASET = declare('noise', x, ['a', 'b'] * 20)\n"
        "RECIPE = replace(load_recipe('mnist-dense'), name='mine', dataset='noise', default=False)\n"
    )
    path = _write(tmp_path, _DENSE + images)

    result = _train("--recipe", path, "--runs", tmp_path / "runs")

    assert isinstance(result.exception, RecipeError)
    assert "takes inputs of shape [28, 28], and those of noise have [12, 12]" in str(result.exception)


_NETWORK = """
import keras

def build(network):
    {body}

RECIPE = replace(load_recipe("{recipe}"), name="mine", dataset="{dataset}", build=build, default=False)
"""


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("network.imagee(28, 28)", r"mine\.py, line 7: AttributeError: 'Network' object has no attribute"),
        (
            "network.image(28, 28).flatten()",
            r"mine\.py: build returns NoneType, not a Keras model; end it with",
        ),
        (
            "return network.image(28, 28).add(keras.layers.Conv2D(4, 99)).flatten().classifier()",
            r"mine\.py, line 7: ValueError: .*",
        ),
        (
            "network.image(28, 28).flatten(); network.statistics = replace(network.statistics, classes=7); "
            "return network.classifier()",
            "the network has 7 outputs, and mnist has 10 labels",
        ),
    ],
)
@pytest.mark.parametrize("command", ["train", "summary"])
def test_fault_in_the_network_is_reported_with_its_line(
    tmp_path: Path, mnist_cache: Path, monkeypatch: pytest.MonkeyPatch, command: str, body: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    _write(tmp_path, _DENSE + _NETWORK.format(body=body, recipe="mnist-dense", dataset="mnist"))
    words = [*("--recipe", "mine.py"), *(["--runs", "runs"] if command == "train" else [])]

    result = CliRunner().invoke(getattr(cli, command), words)

    if command == "summary" and "outputs" in message:  # seen when the network meets its data
        assert result.exception is None
        return
    assert isinstance(result.exception, RecipeError)
    assert re.match(message, str(result.exception))
    assert "\n" not in str(result.exception)


@pytest.mark.parametrize(
    ("recipe", "dataset", "message"),
    [
        ("mnist-dense", "imdb", "mine reads pictures, and imdb has texts"),
        ("imdb-dense", "mnist", "mine reads texts, and mnist has pictures"),
        ("wine-dense", "mnist", "mine reads tables, and mnist has pictures"),
        (
            "wine-dense",
            "diabetes",
            "has a head for classification, and diabetes has the targets of a regression",
        ),
        ("diabetes-dense", "wine", "has a head for regression, and wine has the targets of a classification"),
        ("mnist-dense", "mnist_attributes", "has the targets of a multi-label-classification; set the head"),
    ],
)
def test_data_of_another_kind_is_refused(
    tmp_path: Path, mnist_cache: Path, imdb_cache: Path, recipe: str, dataset: str, message: str
) -> None:
    text = f"RECIPE = replace(load_recipe('{recipe}'), name='mine', dataset='{dataset}', default=False)\n"
    result = _train("--recipe", _write(tmp_path, _DENSE + text), "--runs", tmp_path / "runs")

    assert isinstance(result.exception, RecipeError)
    assert message in str(result.exception)
    assert not (tmp_path / "runs" / "mine").exists()


def test_recipe_for_texts_needs_a_vocabulary(tmp_path: Path, imdb_cache: Path) -> None:
    text = "RECIPE = replace(load_recipe('imdb-dense'), name='mine', vocabulary=None)\n"
    result = _train("--recipe", _write(tmp_path, _DENSE + text), "--runs", tmp_path / "runs")
    assert "mine has no vocabulary; set it as training/recipes/imdb_dense.py does" in str(result.exception)


@pytest.mark.parametrize("name", ["", ".", "../elsewhere", "a b", "/tmp/x", "übung"])
def test_name_that_cannot_be_that_of_a_folder_is_refused(tmp_path: Path, name: str) -> None:
    text = f"RECIPE = replace(load_recipe('mnist-dense'), name={name!r})\n"
    with pytest.raises(RecipeError, match="cannot be the name of a recipe; use only letters, digits"):
        load_recipe_file(_write(tmp_path, _DENSE + text))


def test_preprocessing_that_makes_other_inputs_than_the_network_takes_is_refused(tmp_path: Path) -> None:
    text = (
        "import numpy as np\nfrom training.datasets.own import declare\n"
        "x = np.zeros((40, 12, 12), dtype=np.uint8)\nx[:, 2:9, 5] = 200 + np.arange(40)[:, None]\n"
        "DATASET = declare('strokes', x, ['a', 'b'] * 20)\n"
        "def build(network):\n    network.image(12, 12).flatten()\n    return network.classifier()\n"
        "RECIPE = replace(load_recipe('mnist-dense'), name='mine', dataset='strokes', build=build)\n"
    )
    result = _train("--recipe", _write(tmp_path, _DENSE + text), "--runs", tmp_path / "runs")
    assert isinstance(result.exception, RecipeError)
    assert "takes inputs of shape [12, 12], and the preprocessing 'digit' makes those of [28, 28]" in str(
        result.exception
    )


def test_texts_without_a_known_word_are_left_out_of_training_and_evaluation(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (folder / "comments.csv").open("a", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([f"{'!' * number} ☺", "praise"] for number in range(1, 41))
    lines = _COMMANDS.findall(_PAGE.read_text(encoding="utf-8"))[1:4]

    trained, exported, evaluated = [_run(line) for line in lines]

    assert "skipped 40 texts without a word of the vocabulary" in trained.output
    assert (exported.exception, evaluated.exception) == (None, None)
    card = Catalog(folder / "models").card("comments")
    assert 0 < card.metrics.count < 0.15 * 190
    assert "DIFFERS" not in evaluated.output


def test_texts_without_any_word_are_refused(tmp_path: Path) -> None:
    text = (
        "from training.datasets.own import declare\n"
        "DATASET = declare('signs', ['!' * n for n in range(1, 41)], ['a', 'b'] * 20)\n"
        "RECIPE = replace(load_recipe('imdb-dense'), name='mine', dataset='signs')\n"
    )
    result = _train("--recipe", _write(tmp_path, _DENSE + text), "--runs", tmp_path / "runs")
    assert isinstance(result.exception, DatasetError)
    assert "signs: has too few texts with a word of the vocabulary of mine, which has 0" in str(
        result.exception
    )


def test_copies_are_in_one_split_and_every_class_is_in_each() -> None:
    texts = [f"comment {number // 2}" for number in range(200)]
    dataset = declare("comments", texts, ["good" if number // 2 % 3 else "bad" for number in range(200)])
    assert dataset.load is not None
    loaded = dataset.load(dataset, None)

    parts = [set(split.x) for split in (loaded.train, loaded.validation, loaded.test)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 100
    assert all(set(split.y) == {0, 1} for split in (loaded.train, loaded.validation, loaded.test))
    assert loaded.splits == {"train": 140, "validation": 30, "test": 30}
    assert (loaded.copies, loaded.labels) == (100, ("bad", "good"))
    again = declare("comments", texts, ["good" if number // 2 % 3 else "bad" for number in range(200)])
    assert again.load is not None
    assert again.load(again, None).sha256 == loaded.sha256


@pytest.mark.parametrize(
    ("name", "inputs", "labels", "message"),
    [
        ("My Comments", ["a"], ["b"], "cannot be the name of a data set; use my_comments"),
        ("c", ["a", "b"], ["x"], "has 2 inputs and 1 labels"),
        ("c", ["a"] * 20, ["x"] * 20, "has 1 labels; a classifier needs two or more"),
        ("c", ["a"] * 20, ["x", "y"] * 10, "the label x has 1 different inputs, and needs 6"),
        ("c", [1, 2], ["x", "y"], "neither texts nor an array of images"),
        ("c", [np.zeros((12, 12), np.uint8)] * 2, ["x", "y"], "stack single images with numpy.stack"),
        ("c", "ab", ["x", "y"], "has one text in place of a list of texts"),
        ("c", ["a", "b"], "xy", "has one text in place of a list of texts"),
        ("c", ["a", "b"], ["x", None], r"has an input without a label \(None\)"),
        ("c", ["a", "b"], ["x", float("nan")], r"has an input without a label \(nan\)"),
        ("c", ["a", "b"], ["x", " "], "has an input without a label"),
        ("c", np.zeros((4, 28, 28)), ["x", "y"] * 2, r"has an array of float64 \[4, 28, 28\]"),
        ("c", np.zeros((4, 28, 20), np.uint8), ["x", "y"] * 2, r"images are uint8 \(n, side, side\)"),
    ],
)
def test_data_that_cannot_be_used_is_refused(
    name: str, inputs: list[str], labels: list[str], message: str
) -> None:
    with pytest.raises(DatasetError, match=message):
        declare(name, inputs, labels)


def test_name_of_an_included_data_set_is_refused(tmp_path: Path) -> None:
    text = (
        "from training.datasets.own import declare\n"
        "DATASET = declare('mnist', [f'{n}' for n in range(40)], ['a', 'b'] * 20)\n"
        "RECIPE = replace(load_recipe('imdb-dense'), name='mine', dataset='mnist')\n"
    )
    with pytest.raises(DatasetError, match="mnist is the name of a data set of Lectern"):
        load_recipe_file(_write(tmp_path, _DENSE + text))


def test_a_run_is_not_exported_on_changed_data(folder: Path) -> None:
    assert _run("./run train --recipe my_recipe.py --epochs 1").exit_code == 0
    path = folder / "comments.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(" the ", " xyzzy "), encoding="utf-8")

    changed = _run("./run export --recipe my_recipe.py").exception

    assert "the data of comments has changed since the run, so its test examples may have been" in str(
        changed
    )


def test_a_run_of_an_own_recipe_is_measured_with_its_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _run("./run train --recipe my_recipe.py --epochs 1").exit_code == 0
    monkeypatch.setattr(recipes, "_own", {})

    unknown = _run("./run runs comments-dense --test").exception

    assert "is a run of comments-dense, which is no recipe of Lectern; name its file with --recipe" in str(
        unknown
    )
    assert "test examples" in _run("./run runs comments-dense --test --recipe my_recipe.py").output
