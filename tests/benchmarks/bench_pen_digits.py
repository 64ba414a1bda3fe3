"""Measures how well digits drawn with a pen are read on the playground's pad and on the desktop's.

Run ``python tests/benchmarks/bench_pen_digits.py ADDRESS CHROMIUM [FILE]`` with the address of a server and
the path of a Chromium. Fifty digits of each kind are drawn from FILE, by default the tests' sample, which has
forty of each. The page gets them as pointer events in two sizes of its window, and the label is read from its
bars. It prints the accuracies as one JSON object.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright

_TESTS = Path(__file__).resolve().parents[1]
_DESKTOP = _TESTS / "desktop"
_PER_DIGIT, _SEED = 50, 2024
_VIEWS = {
    "playground, 1280 x 800": {"viewport": {"width": 1280, "height": 800}},
    "playground, phone": {"viewport": {"width": 390, "height": 664}, "device_scale_factor": 2},
}
# Draws strokes, whose points are in the square of the canvas, at whole pixels of the screen as a mouse does.
_DRAW = """(strokes) => {
  const canvas = document.querySelector("#draw canvas");
  const box = canvas.getBoundingClientRect();
  const send = (kind, [x, y]) => canvas.dispatchEvent(new PointerEvent(kind, {
    pointerId: 1, pointerType: "mouse", button: 0, buttons: 1, bubbles: true, cancelable: true,
    clientX: Math.round(box.left + x * box.width / 448), clientY: Math.round(box.top + y * box.height / 448),
  }));
  for (const points of strokes) {
    send("pointerdown", points[0]);
    for (const point of points.slice(1)) send("pointermove", point);
    send("pointerup", points.at(-1));
  }
}"""


def choose(source: Path, target: Path) -> None:
    """Write a file with the same number of digits of each kind, chosen at random."""
    data, rng = np.load(source), np.random.default_rng(_SEED)
    labels, points = data["labels"], data["points"]
    chosen = []
    for digit in range(10):
        numbers = np.flatnonzero(labels == digit)
        chosen.extend(sorted(rng.choice(numbers, min(_PER_DIGIT, len(numbers)), replace=False)))
    rows = [points[points[:, 0] == number].copy() for number in chosen]
    for number, row in enumerate(rows):
        row[:, 0] = number
    np.savez(target, labels=labels[chosen], points=np.concatenate(rows))


def read_digit(page: Page, strokes: list[Any]) -> str:
    """Draw a digit, wait for the answer to the whole drawing, and clear the pad."""
    page.evaluate(_DRAW, [stroke.tolist() for stroke in strokes])
    page.locator("#answer [role=status]:not(:empty)").wait_for(state="attached")
    label = page.locator(".bars .best .label").text_content()
    page.keyboard.press("Delete")
    page.locator("#answer [role=status]:empty").wait_for(state="attached")
    return label or ""


def on_the_page(address: str, chromium: str, drawn: list[tuple[int, list[Any]]]) -> dict[str, float]:
    """Return the accuracy of the playground for each size of the window."""
    found = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, options in _VIEWS.items():
            page = browser.new_context(**options).new_page()
            page.goto(address)
            page.locator("#draw .bars, .bars li").first.wait_for()
            right = sum(read_digit(page, strokes) == str(label) for label, strokes in drawn)
            found[name] = right / len(drawn)
        browser.close()
    return found


def on_the_desktop(file: Path) -> dict[str, float]:
    """Return the accuracy of the desktop's pad for each size of the window, and without a pad."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    environment["PYTHONPATH"] = os.pathsep.join([str(_TESTS.parent), str(_DESKTOP)])
    found = {}
    for options in ([], ["--direct"]):
        command = [sys.executable, str(_DESKTOP / "pen_digits.py"), "models", str(file), *options]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        found |= {f"desktop, {name}": share for name, share in json.loads(done.stdout).items()}
    return found


def main(address: str, chromium: str, source: str = str(_TESTS / "data" / "pendigits.npz")) -> None:
    """Measure, and print the accuracies."""
    sys.path[:0] = [str(_TESTS.parent), str(_DESKTOP)]
    from pen_digits import digits

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "digits.npz"
        choose(Path(source), file)
        drawn = list(digits(file))
        found = {"digits": len(drawn), **on_the_desktop(file), **on_the_page(address, chromium, drawn)}
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main(*sys.argv[1:])
