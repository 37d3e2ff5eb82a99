"""How fast the real page is in a real browser: `python -m benchmarks.page [--model PATH] [--picture FILE ...]`.

Drives Chromium on the MobileNetV2 of the data folder where it is there (224 px), on the bundled phantoms otherwise. It waits as long as
things take, for at most `--patience` seconds each, and reports what did not come. Beside every time stands the machine's speed just
then, as the bare model's milliseconds per picture, and how many pictures the time is worth: that is what compares between runs.
"""

import argparse
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.shared.machine import machine_line
from benchmarks.shared.results_file import OPTION, run_benchmark
from models.graph.engine.choice import CHOICES
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
SIDE, PROBES = 8, 4  # pictures per pass of the bare model, and passes of a probe
# Notes when things first show: bars, first map, a map in every panel, finished; milliseconds since the event was sent.
WATCH = """(patience) => {
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
            if (performance.now() - start > patience) return resolve(seen);
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


class Yardstick:
    """The bare model's speed on this machine, measured between two figures by a process of its own, which does nothing meanwhile."""

    def __init__(self, model: str) -> None:
        command = [sys.executable, "-m", "benchmarks.shared.bare_speed", model, str(SIDE), str(PROBES)]
        quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, cwd=ROOT, env=quiet, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
        self._lock = threading.Lock()

    def milliseconds(self) -> float:
        """Per picture, just now."""
        with self._lock:
            assert self._process.stdin
            assert self._process.stdout
            self._process.stdin.write("now\n")
            self._process.stdin.flush()
            return float(self._process.stdout.readline())

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


class Table:
    """Prints one line per figure."""

    def __init__(self, yardstick: Yardstick) -> None:
        self._yardstick = yardstick

    def time(self, name: str, milliseconds: float | None) -> None:
        """A time, the machine's speed beside it, and how many pictures the time is worth. None: it did not come."""
        bare = self._yardstick.milliseconds()
        if milliseconds is None:
            print(f"{name:60s}   not within the patience   ({bare:.1f} ms per picture)", flush=True)
        else:
            print(f"{name:60s} {milliseconds:9,.0f} ms   {milliseconds / bare:8,.1f} pictures of {bare:.1f} ms", flush=True)

    def count(self, name: str, value: float, unit: str = "") -> None:
        """Anything but a time."""
        print(f"{name:60s} {value:9,.0f} {unit}".rstrip(), flush=True)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, parents=[OPTION], formatter_class=argparse.RawDescriptionHelpFormatter)
    model = data_folder() / "models" / "imagenet_mobilenet_v2"
    parser.add_argument("--model", default=str(model) if model.is_dir() else None, help="the classifier to drive")
    parser.add_argument("--pictures", type=Path, default=data_folder() / "natural", help="a folder with at least four pictures")
    parser.add_argument("--engine", default="auto", choices=CHOICES, help="of the page; the bare model's is always TensorFlow")
    parser.add_argument("--visitors", type=int, default=VISITORS, help="that come at once; %(default)s")
    parser.add_argument("--patience", type=float, default=1800.0, metavar="SECONDS", help="for each thing awaited; %(default)g")
    parser.add_argument("--busy", type=int, default=0, metavar="N", help="processes that keep the machine busy meanwhile; %(default)s")
    chosen = parser.parse_args()
    flags = ["--model", chosen.model] if chosen.model else []
    flags += ["--examples", str(chosen.pictures)] if chosen.pictures.is_dir() else []
    yardstick = Yardstick(chosen.model or "phantoms")
    table = Table(yardstick)
    with busy_processes(chosen.busy):
        print(f"{machine_line()}; {chosen.busy} busy processes, load {os.getloadavg()[0]:.1f}")
        try:
            table.time("python -m app --help", statistics.median(seconds_of_help() for _ in range(ROUNDS)) * 1000)
            options = (*flags, "--queue", "64", "--budget", "3600", "--engine", chosen.engine)
            with serving(*options, starting=chosen.patience) as server, sync_playwright() as playwright:
                path = next(found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name)))
                browser = playwright.chromium.launch(executable_path=path, args=FLAGS, timeout=chosen.patience * 1000)
                table.time("process start to page", server.started_after * 1000)
                table.time("process start to page, processor", server.work_at_start * 1000)
                one_visitor(browser, server, table, chosen.patience)
                browser.close()
                many_visitors(path, server, table, chosen.visitors, chosen.patience)
        finally:
            yardstick.close()


@contextlib.contextmanager
def busy_processes(count: int) -> Iterator[None]:
    """So many processes that compute without end."""
    started = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def seconds_of_help() -> float:
    """What the command line takes to say what there is, which loads neither TensorFlow nor Gradio."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "app", "--help"], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def open_page(browser: Browser, server: Server, patience: float) -> tuple[Page, float]:
    """The page with its examples, and the milliseconds until it showed them."""
    page = browser.new_page(viewport={"width": 1300, "height": 900})
    page.set_default_timeout(patience * 1000)
    start = time.perf_counter()
    page.goto(server.address)
    page.wait_for_selector("[data-example]")
    return page, (time.perf_counter() - start) * 1000


def one_visitor(browser: Browser, server: Server, table: Table, patience: float) -> None:
    """A visitor alone: loading, an example for the first time, the same again, opacity."""
    page, opened = open_page(browser, server, patience)
    table.time("page opened to interactive", opened)
    sizes = page.evaluate("performance.getEntries().map((entry) => entry.transferSize ?? 0).reduce((sum, size) => sum + size, 0)")
    table.count("page weight", sizes / 1e3, "kB")
    asked = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    table.count("requests", len(asked))
    table.count("requests to other hosts", sum(url.startswith("http") and not url.startswith(server.address) for url in asked))
    first = measure_clicks(page, 0, patience)  # loads the classifier and traces its functions
    for name in ("bars", "first map", "every panel", "finished"):
        table.time(f"first picture after the start: {name}", first.get(name))
    fresh = [measure_clicks(page, number, patience) for number in range(1, 1 + ROUNDS)]
    for name in ("bars", "first map", "every panel", "finished"):
        table.time(f"click to {name}", median_of(fresh, name))
    again = [measure_clicks(page, number, patience) for number in range(1, 1 + ROUNDS)]
    table.time("page alone: an answered picture again, seven maps", median_of(again, "every panel"))
    table.time("opacity to frame", statistics.median(page.evaluate(OPACITY) for _ in range(9)))
    page.close()


def many_visitors(path: str, server: Server, table: Table, count: int, patience: float) -> None:
    """Browser sessions that open the page and then click the same example at once; each has a browser of its own thread."""
    ready, opened, results = threading.Barrier(count), list[float](), list[tuple[float | None, int, int]]()

    def visit() -> None:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS, timeout=patience * 1000)
            page, milliseconds = open_page(browser, server, patience)
            opened.append(milliseconds)
            ready.wait(patience)
            times = measure_clicks(page, 1 + ROUNDS, patience)
            results.append((times.get("finished"), page.evaluate(INTACT), page.locator(".cc-panel").count()))
            browser.close()

    threads = [threading.Thread(target=visit) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    finished = [each for each, _, _ in results]
    table.count(f"{count} sessions: pages opened", len(opened))
    table.time(f"{count} sessions: the last page is open", max(opened, default=None))
    table.time(
        f"{count} sessions, same example: the last is finished",
        max((each for each in finished if each is not None), default=None) if None not in finished else None,
    )
    table.count(f"{count} sessions: broken maps", sum(panels - intact for _, intact, panels in results))
    table.count(f"{count} sessions: sessions that were served", len(results))


def median_of(runs: Sequence[dict[str, float]], name: str) -> float | None:
    """Of the runs in which it came; None where it never did."""
    found = [times[name] for times in runs if name in times]
    return statistics.median(found) if found else None


def measure_clicks(page: Page, example: int, patience: float) -> dict[str, float]:
    """Clicks an example and notes when things show, in milliseconds; what did not come within the patience is missing."""
    page.evaluate(WATCH, patience * 1000)
    page.locator("[data-example]").nth(example).click()
    return dict(page.evaluate("window.benchmark"))


if __name__ == "__main__":
    sys.exit(run_benchmark("page", main))
