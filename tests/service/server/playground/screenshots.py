"""Makes the pictures of the playground for the README: ``python screenshots.py ADDRESS CHROMIUM``."""

import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

import service.server.playground

FOLDER = Path(service.server.playground.__file__).parent / "screenshots"


PHONE = {"viewport": {"width": 390, "height": 664}, "has_touch": True, "is_mobile": True}


def main(address: str, chromium: str) -> None:
    """Photograph a drawing, its explanation, and in dark colours a review and the page on a phone."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])

        def open_page(tab: str, **options: Any) -> Page:
            page = browser.new_context(locale="en-GB", reduced_motion="reduce", **options).new_page()
            page.goto(f"{address}/#tab={tab}")
            page.locator(f"#{tab} [data-action=example]").click()
            page.locator("#answer .headline:not(:empty)").wait_for()
            return page

        for name, options in {
            "draw": {"viewport": {"width": 1100, "height": 700}},
            "phone": {**PHONE, "color_scheme": "dark"},
        }.items():
            page = open_page("draw", **options)
            page.locator("#answer figure:not(.empty)").wait_for()
            page.screenshot(path=FOLDER / f"{name}.png")
        page = open_page("text", viewport={"width": 1100, "height": 430}, color_scheme="dark")
        page.locator(".strongest li").first.wait_for()
        page.screenshot(path=FOLDER / "text.png")
        page = open_page("draw", viewport={"width": 1100, "height": 760})
        page.locator("#why summary").click()
        page.locator(".heat:not(.empty)").wait_for()
        page.locator(".layers table:not(.empty)").wait_for()
        page.locator("button[data-layer=whitening][data-map='3']").click()
        page.locator(".sum span").first.wait_for()
        canvas = page.locator(".feature-map canvas")
        canvas.hover(position={"x": 150, "y": 80})
        page.locator("#why").evaluate("(panel) => panel.scrollIntoView()")
        page.screenshot(path=FOLDER / "why.png")
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
