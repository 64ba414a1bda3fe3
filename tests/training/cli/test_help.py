"""The help of the training commands has recipes, defaults and examples, and loads no heavy library."""

import subprocess
import sys

import pytest
from training_commands import call

from training import cli


def test_help_lists_recipes_ranges_and_defaults() -> None:
    text = " ".join(call(cli.train, "--help").output.split())

    assert "--width FLOAT RANGE Factor on the number of units and filters. [default: (the" in text
    assert "[default: (the recipe's); 0<=x<1]" in text
    assert "Recipes: cats-dogs-features, cats-dogs-finetune" in text


@pytest.mark.parametrize("command", ["train", "export", "evaluate"])
def test_help_loads_no_heavy_library(command: str) -> None:
    script = (
        "import sys; from training import cli\n"
        f"cli.{command}(['--help'], standalone_mode=False)\n"
        "print(sorted({'keras', 'tensorflow', 'numpy'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.endswith("[]\n")


def test_help_prints_each_example_and_recipe_name_unbroken() -> None:
    lines = [line.strip() for line in call(cli.export, "--help").output.splitlines()]

    assert "lectern export mnist-strokes --run one --run two --average weights" in lines
    assert not any(line.endswith("-") for line in lines)


@pytest.mark.parametrize("name", ["data", "train", "evaluate", "export"])
def test_every_command_has_help_with_an_example(name: str) -> None:
    command = getattr(cli, name)

    result = call(command, "--help")

    assert f"lectern {name} " in result.output
    assert all(getattr(option, "help", "") for option in command.params if option.param_type_name == "option")


def test_help_of_a_data_set_shows_the_defaults_of_its_recipe() -> None:
    text = " ".join(call(cli.train, "--run", "imdb-dense", "mnist-convnet", "--help").output.split())
    assert "[default: (10); 1<=x<=1000000]" in text
    assert call(cli.train, "mnist", "--help").output == call(cli.train, "mnist-deep", "--help").output
