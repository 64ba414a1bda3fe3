"""Stands for ``lectern train`` and ``lectern export``: prints events, and obeys standard input."""

import json
import sys
import time
from pathlib import Path

EPOCHS = 6


def option(name: str) -> str:
    return sys.argv[sys.argv.index(name) + 1]


def say(event: str, **fields: object) -> None:
    print(json.dumps({"event": event, **fields}), flush=True)


def follow_input() -> None:
    """Wait for a line; pause, continue and stop are obeyed."""
    for line in sys.stdin:
        match line.strip():
            case "pause":
                say("pause")
            case "continue":
                say("continue")
            case "stop":
                say("stop", epochs=1)
                sys.exit(0)


def train() -> None:
    run = Path(option("--runs"), option("--run"))
    first = 1 if "--resume" in sys.argv else 0
    say(
        "start", recipe=sys.argv[2], dataset="mnist", labels=[*"0123456789"], parameters=1234, epochs=EPOCHS,
        splits={"train": 1000, "validation": 500, "test": 100}, finished=first, run=str(run),
    )  # fmt: skip
    history = []
    for number in range(1, EPOCHS + 1):
        row = {
            "number": number, "loss": 1 / number, "accuracy": 1 - 0.5 / number, "seconds": 0.1,
            "validation_loss": abs(number - 3) / 10 + 0.5, "validation_accuracy": 0.8,
        }  # fmt: skip
        history.append(row)
        (run / "history.json").write_text(json.dumps(history))
        if number <= first:
            continue
        say("step", epoch=number, step=8, steps=8, loss=1 / number, accuracy=0.9)
        say("epoch", **row)
        weights = [number / 10 - 0.3] * 18
        say("filters", epoch=number, layer="conv2d", shape=[2, 3, 3, 1], values=weights)
        if Path(option("--watch")).read_bytes():
            scores = [{"label": str(digit), "score": 0.91 if digit == 7 else 0.01} for digit in range(10)]
            say("prediction", epoch=number, scores=scores)
        if (
            "--early-stopping" not in sys.argv
            and option("--run").endswith("-1")
            and number == 1
            and not first
        ):
            follow_input()
    say("finish", epochs=EPOCHS, seconds=1.5, best=EPOCHS, validation_accuracy=0.8)


def main() -> None:
    print("a line that is no event", flush=True)
    if sys.argv[1] == "export":
        say("error", code="export_error", message="the disk is full")
        sys.exit(2)
    if "cifar10-bn-elu" in sys.argv:
        sys.stderr.write("Traceback\nMemoryError: too large\n")
        sys.exit(1)
    if "imdb-dense" in sys.argv:
        time.sleep(600)
    train()


main()
