"""Takes the README's picture of the real page: `python -m docs.screenshot [--model PATH] [--examples DIR] [--out FILE]`."""

import argparse
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.conftest import FLAGS, chromium, wait
from tests.serving import serving


def main() -> None:
    """Starts the page, waits until its first picture is explained, and writes what a browser shows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="a classifier to start with, instead of the bundled phantoms")
    parser.add_argument("--examples", help="a folder of pictures, of which the first is explained")
    parser.add_argument("--width", type=int, default=1440, help="of the window, in pixels")
    parser.add_argument("--theme", choices=("light", "dark"), default="light")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "page.png")
    chosen = parser.parse_args()
    flags = [flag for name in ("model", "examples") if (value := getattr(chosen, name)) for flag in (f"--{name}", value)]
    with serving(*flags) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        page = browser.new_page(viewport={"width": chosen.width, "height": 900})
        page.goto(f"{server.address}/?__theme={chosen.theme}")
        if chosen.model or chosen.examples:
            page.locator("[data-example]").first.click()
        wait(page)
        page.wait_for_function("document.querySelectorAll('.cc-where p').length === 3", timeout=120_000)
        page.screenshot(path=chosen.out)
        browser.close()
    print(f"Written to {chosen.out}.")


if __name__ == "__main__":
    main()
