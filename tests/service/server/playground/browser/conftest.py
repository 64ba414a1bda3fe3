"""A real Chromium for the tests of the playground: pages whose console and policy errors fail the test."""

import base64
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

import service.server.playground

Server = Any
EIGHT = Path(service.server.playground.__file__).parent / "assets" / "examples" / "eight.webp"
NAMES = ("chromium", "chromium-browser", "google-chrome")
# Keeps what the page sends; the browser does not tell the bodies of requests that are files.
RECORD = """{
  window.sent = [];
  const original = window.fetch;
  window.fetch = (address, options = {}) => {
    if (options.body instanceof Blob) {
      const reader = new FileReader();
      reader.onload = () => sent.push([String(address), reader.result.split(",")[1]]);
      reader.readAsDataURL(options.body);
    }
    return original(address, options);
  };
}"""

# On a busy machine, pages take longer than five seconds.
expect.set_options(timeout=20_000)


@dataclass
class Playground:
    """The page in a tab, and what went wrong in it."""

    page: Page
    problems: list[str] = field(default_factory=list)

    @property
    def pad(self) -> Any:
        return self.page.locator("#draw canvas")

    @property
    def headline(self) -> Any:
        return self.page.locator("#answer .headline")

    @property
    def detail(self) -> Any:
        return self.page.locator("#answer .detail")

    def point(self, x: float, y: float) -> tuple[float, float]:
        box = self.pad.bounding_box()
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    def draw(self, points: Sequence[tuple[float, float]], *, steps: int = 6) -> None:
        """Draw a stroke with the mouse."""
        self.page.mouse.move(*self.point(*points[0]))
        self.page.mouse.down()
        for x, y in points[1:]:
            self.page.mouse.move(*self.point(x, y), steps=steps)
        self.page.mouse.up()

    def action(self, tab: str, name: str) -> Any:
        return self.page.locator(f"#{tab} [data-action={name}]")

    def choose(self, *files: Path) -> None:
        """Choose pictures in the dialog of the tab for pictures."""
        self.page.locator("#pictures input[type=file]").first.set_input_files(list(files))

    def scores(self) -> dict[str, float]:
        """Return the percentages that the bars tell a screen reader."""
        rows = self.page.locator("#answer [role=meter]").all()
        return {row.get_attribute("aria-label"): float(row.get_attribute("aria-valuenow")) for row in rows}

    def sent(self, ending: str) -> list[bytes]:
        """Return the files that the page has sent to addresses with an ending, since it was opened.

        Args:
            ending: A regular expression.
        """
        sent = self.page.evaluate("sent")
        return [base64.b64decode(data) for address, data in sent if re.search(f"{ending}$", address)]

    def wait_for_answer(self, text: str) -> None:
        expect(self.headline).to_have_text(text)


Open = Callable[..., Playground]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; closed after each module, because its event loop would disturb asyncio in other tests."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("there is no Chromium; on Debian or Ubuntu: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def context_of(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Open browser profiles that are closed after the test."""
    contexts: list[BrowserContext] = []

    def open_context(**options: Any) -> BrowserContext:
        chosen = {"viewport": {"width": 1280, "height": 800}, "locale": "en-GB", **options}
        contexts.append(browser.new_context(**chosen))
        return contexts[-1]

    yield open_context
    for context in contexts:
        context.close()


@pytest.fixture
def eights(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a picture of lines of eights."""

    def write(columns: int, rows: int = 1) -> Path:
        picture = Image.new("L", (80 * columns, 100 * rows), 255)
        with Image.open(EIGHT) as eight:
            digit = eight.convert("L").resize((80, 80))
        for column, row in np.ndindex(columns, rows):
            picture.paste(digit, (80 * column, 100 * row + 10))
        path = tmp_path / "eights.png"
        picture.save(path)
        return path

    return write


@pytest.fixture
def open_page(context_of: Callable[..., BrowserContext], server: Server) -> Iterator[Open]:
    """Open the playground; errors in the console, policy violations and scripts' exceptions fail the test.

    ``open_page(path="/", url=…, allowed="pattern of expected problems", **options_of_the_profile)``
    """
    opened: list[tuple[Playground, str]] = []

    def open_playground(
        path: str = "/", *, url: str = "", allowed: str = "", prepare: Any = None, **options: Any
    ) -> Playground:
        context = context_of(**options)
        playground = Playground(context.new_page())
        page, problems = playground.page, playground.problems
        page.on("console", lambda message: message.type == "error" and problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.add_init_script(
            "addEventListener('securitypolicyviolation', (e) => console.error('policy', e.violatedDirective))"
        )
        page.add_init_script(RECORD)
        if prepare is not None:
            prepare(page)
        page.goto((url or server.url) + path)
        opened.append((playground, allowed))
        return playground

    yield open_playground
    for playground, allowed in opened:
        unexpected = [text for text in playground.problems if not allowed or not re.search(allowed, text)]
        assert unexpected == []
