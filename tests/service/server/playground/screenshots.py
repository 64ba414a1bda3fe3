"""Makes the pictures of the playground for the README: ``python screenshots.py ADDRESS CHROMIUM``."""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

import service.server.playground

FOLDER = Path(service.server.playground.__file__).parent / "screenshots"


def main(address: str, chromium: str) -> None:
    """Photograph the drawing tab beside the same page on a phone in dark colours."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        views = {
            "draw": {"viewport": {"width": 1100, "height": 700}},
            "phone": {
                "viewport": {"width": 390, "height": 664},
                "color_scheme": "dark",
                "has_touch": True,
                "is_mobile": True,
            },
        }
        for name, options in views.items():
            page = browser.new_context(locale="en-GB", reduced_motion="reduce", **options).new_page()
            page.goto(address)
            page.locator("#draw [data-action=example]").click()
            page.locator("#answer figure:not(.empty)").wait_for()
            page.screenshot(path=FOLDER / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
