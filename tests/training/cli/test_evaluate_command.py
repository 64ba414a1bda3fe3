"""The command ``evaluate`` compares a model with its card."""

import json
from pathlib import Path

from training_commands import call

from training import cli


def test_evaluate_names_the_result_that_differs(exported: Path) -> None:
    path = exported / "models" / "mnist" / "1" / "card.json"
    document = json.loads(path.read_text())
    document["metrics"]["accuracy"] -= 0.01
    path.write_text(json.dumps(document))

    result = call(cli.evaluate, "mnist", "--models", exported / "models")

    assert result.exit_code == 1
    different = [line.split()[1] for line in result.output.splitlines() if "DIFFERS" in line]
    assert different == ["accuracy"]
