"""How fast the real page is in a real browser: `python -m benchmarks.page [--model PATH] [--picture FILE ...]`.

Drives Chromium on the MobileNetV2 of the data folder where it is there (224 px), on the bundled phantoms otherwise.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.shared.results_file import OPTION, run_benchmark
from tests.data import data_folder
from tests.serving import ROOT, Server, serving

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
]
VISITORS = 10
ROUNDS = 3
# Notes when things first show: bars, first map, a map in every panel, finished; milliseconds since the event was sent.
WATCH = """() => {
    const attribute = (part, name) => document.querySelector(`#cc-${part} [data-run]`)?.dataset[name];
    const before = +attribute('status', 'run') || 0, start = performance.now(), seen = {};
    window.benchmark = new Promise((resolve) => {
        const note = (name) => { seen[name] ??= performance.now() - start; };
        const look = () => {
            const run = +attribute('status', 'run');
            if (run > before) {
                if (+attribute('prediction', 'run') === run && +attribute('prediction', 'bars') > 0) note('bars');
                const maps = [...document.querySelectorAll('.cc-panel:not([data-method=Consensus]) .cc-map')];
                const painted = maps.filter((map) => (map.dataset.painted ?? '').startsWith(`${run}.`));
                if (painted.length) note('first map');
                if (painted.length && painted.length === maps.length) note('every panel');
                const over = ['done', 'stopped', 'failed'].includes(attribute('status', 'state'));
                if (over && seen['every panel']) { note('finished'); return resolve(seen); }
            }
            requestAnimationFrame(look);
        };
        look();
    });
}"""
OPACITY = """() => new Promise((resolve) => {
    const slider = document.querySelector('#cc-opacity'), start = performance.now();
    const before = document.documentElement.dataset.viewPainted;
    slider.value = +slider.value === 40 ? 60 : 40;
    slider.dispatchEvent(new Event('input', { bubbles: true }));
    const changed = () => document.documentElement.dataset.viewPainted !== before;
    const look = () => changed() ? resolve(performance.now() - start) : requestAnimationFrame(look);
    look();
})"""
INTACT = """() => [...document.querySelectorAll('.cc-map[data-painted] canvas')].filter((canvas) => {
    const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    return data.some((value) => value > 0);
}).length"""


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, parents=[OPTION])
    model = data_folder() / "models" / "imagenet_mobilenet_v2"
    parser.add_argument("--model", default=str(model) if model.is_dir() else None, help="the classifier to drive")
    parser.add_argument("--pictures", type=Path, default=data_folder() / "natural", help="a folder with at least four pictures")
    chosen = parser.parse_args()
    flags = ["--model", chosen.model] if chosen.model else []
    flags += ["--examples", str(chosen.pictures)] if chosen.pictures.is_dir() else []
    print_row("python -m app --help", statistics.median(seconds_of_help() for _ in range(ROUNDS)) * 1000)
    with serving(*flags, "--queue", "64", "--budget", "600") as server, sync_playwright() as playwright:
        path = next(found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name)))
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        print_row("process start to page", server.started_after * 1000)
        print_row("process start to page, processor", server.work_at_start * 1000)
        one_visitor(browser, server)
        browser.close()
        many_visitors(path, server)


def seconds_of_help() -> float:
    """What the command line takes to say what there is, which loads neither TensorFlow nor Gradio."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "app", "--help"], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def one_visitor(browser: Browser, server: Server) -> None:
    """A visitor alone: loading, an example for the first time, the same again, opacity."""
    page = browser.new_page(viewport={"width": 1300, "height": 900})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    start = time.perf_counter()
    page.goto(server.address)
    page.wait_for_selector("[data-example]")
    print_row("page opened to interactive", (time.perf_counter() - start) * 1000)
    sizes = page.evaluate("performance.getEntries().map((entry) => entry.transferSize ?? 0).reduce((sum, size) => sum + size, 0)")
    print_row("page weight", sizes / 1e3, "kB")
    print_row("requests", len([url for url in asked if url.startswith("http")]), "")
    print_row("requests to other hosts", len([url for url in asked if url.startswith("http") and not url.startswith(server.address)]), "")
    first = measure_clicks(page, 0)  # loads the classifier and traces its functions
    print_row("first picture after the start, finished", first["finished"])
    fresh = [measure_clicks(page, number) for number in range(1, 1 + ROUNDS)]
    for name in ("bars", "first map", "every panel", "finished"):
        print_row(f"click to {name}", statistics.median(times[name] for times in fresh))
    again = [measure_clicks(page, number) for number in range(1, 1 + ROUNDS)]
    print_row("page alone: an answered picture again, seven maps", statistics.median(times["every panel"] for times in again))
    print_row("opacity to frame", statistics.median(page.evaluate(OPACITY) for _ in range(9)))
    page.close()


def many_visitors(path: str, server: Server) -> None:
    """Ten browser sessions click the same example at once; each has a browser of its own thread."""
    ready, results = threading.Barrier(VISITORS), []

    def visit() -> None:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
            page = browser.new_page(viewport={"width": 1300, "height": 900})
            page.goto(server.address)
            page.wait_for_selector("[data-example]")
            page.wait_for_timeout(1000)
            ready.wait(120)
            times = measure_clicks(page, 1 + ROUNDS)
            results.append((times["finished"], page.evaluate(INTACT), page.locator(".cc-panel").count()))
            browser.close()

    threads = [threading.Thread(target=visit) for _ in range(VISITORS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print_row(f"{VISITORS} sessions, same example: the last is finished", max(finished for finished, _, _ in results))
    print_row(f"{VISITORS} sessions: broken maps", sum(panels - intact for _, intact, panels in results), "")
    print_row(f"{VISITORS} sessions: sessions that were served", len(results), "")


def measure_clicks(page: Page, example: int) -> dict[str, Any]:
    """Clicks an example and notes when things show, in milliseconds."""
    page.evaluate(WATCH)
    page.locator("[data-example]").nth(example).click()
    return dict(page.evaluate("window.benchmark"))


def print_row(name: str, value: float, unit: str = "ms") -> None:
    """One line of the table."""
    print(f"{name:55s} {value:9,.0f} {unit}".rstrip(), flush=True)


if __name__ == "__main__":
    sys.exit(run_benchmark("page", main))
