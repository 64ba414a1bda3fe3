"""Reads and writes ``results.json``, the result of each recipe on its test set."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from service.inference.card import Card
from service.inference.files import write_atomically
from training.errors import RunError

RESULTS = Path(__file__).with_name("results.json")


@dataclass(frozen=True, kw_only=True)
class Result:
    """Result of a single run of a recipe, measured with its exported ONNX file on the whole test set.

    Attributes:
        recipe: Name of the recipe.
        dataset: Name of the data set.
        parameters: Number of the network's parameters.
        accuracy: On the test set, 0 to 1.
        epochs: Number of epochs that were run.
        seed: Seed of all random numbers.
        seconds: Wall-clock time of the training.
        machine: Description of the machine, as text.
    """

    recipe: str
    dataset: str
    parameters: int
    accuracy: float
    epochs: int
    seed: int
    seconds: float
    machine: str


def read_results(path: Path = RESULTS) -> dict[str, Result]:
    """Return the results by name of recipe; none if there is no such file."""
    if not path.exists():
        return {}
    return {row["recipe"]: Result(**row) for row in json.loads(path.read_text(encoding="utf-8"))}


def record_result(card: Card, path: Path = RESULTS) -> None:
    """Record a card's figures in place of its recipe's earlier result; the file is replaced atomically.

    Raises:
        RunError: The network is made of several runs, so its figures are not those of the recipe.
    """
    if card.ensemble or card.weight_average:
        raise RunError(
            f"{path}: holds results of single runs, and {card.name} {card.version} is made of several; "
            "export a single run with --record"
        )
    result = Result(
        recipe=card.recipe.name,
        dataset=card.training.dataset,
        parameters=card.parameters,
        accuracy=card.metrics.accuracy,
        epochs=card.training.epochs,
        seed=card.training.seed,
        seconds=card.training.seconds,
        machine=card.training.machine,
    )
    rows = read_results(path) | {result.recipe: result}
    document = [asdict(rows[name]) for name in sorted(rows)]
    write_atomically(path, (json.dumps(document, indent=1) + "\n").encode())
