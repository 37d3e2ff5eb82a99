"""Runs mypy and reports how much of the code it really checks: `python -m tools.type_report`.

Three figures: the share of lines under mypy's strict rules (and without the files that an override spares single rules), the
share of expressions whose type is Any, and the number of `type: ignore` comments. The last two must not exceed the limits in
pyproject.toml, [tool.crosscheck.types].
"""

import io
import re
import subprocess
import sys
import tempfile
import tokenize
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("app", "explainers", "models", "benchmarks")


def main() -> int:
    """Prints mypy's own output and the three figures. Returns mypy's exit status, or 1 where a limit is exceeded."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    limits = settings["crosscheck"]["types"]
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run([sys.executable, "-m", "mypy", "--any-exprs-report", folder], cwd=ROOT, check=False)
        if run.returncode:
            return run.returncode
        any_share = any_expressions((Path(folder) / "any-exprs.txt").read_text(encoding="utf-8"))
    sources = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    ignores = sum(ignore_comments(path.read_text(encoding="utf-8")) for path in sources)
    strict = strict_lines(settings["mypy"], sources)
    whole = strict_lines(settings["mypy"], sources, relaxed=False)
    print(f"Lines under mypy strict: {strict:.1%} of {', '.join(PACKAGES)}; {whole:.1%} where no override turns off any strict rule.")
    print(f"Expressions of type Any: {any_share:.2%} (limit {limits['any_share']:.2%}).")
    print(f"type: ignore comments: {ignores} (limit {limits['ignores']}).")
    exceeded = any_share > limits["any_share"] or ignores > limits["ignores"]
    if exceeded:
        print("A limit of pyproject.toml, [tool.crosscheck.types], is exceeded: add types rather than raise it.", file=sys.stderr)
    return int(exceeded)


def any_expressions(report: str) -> float:
    """The share of expressions of type Any, from mypy's any-exprs.txt."""
    total = report.strip().splitlines()[-1].split()
    return int(total[1]) / int(total[2])


def ignore_comments(source: str) -> int:
    """How many comments of a source silence mypy."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return sum(token.type == tokenize.COMMENT and re.match(r"#\s*type:\s*ignore", token.string) is not None for token in tokens)


def strict_lines(mypy: dict[str, Any], sources: list[Path], relaxed: bool = True) -> float:
    """The share of lines in files that mypy is given and whose errors no override silences.

    relaxed: whether files for which an override turns off single strict rules count too.
    """
    silenced = [
        pattern
        for override in mypy.get("overrides", [])
        if override.get("ignore_errors")
        or override.get("follow_imports") == "skip"
        or (not relaxed and any(value is False for value in override.values()))
        for pattern in ([override["module"]] if isinstance(override["module"], str) else override["module"])
    ]
    lines, strict = 0, 0
    for path in sources:
        relative = path.relative_to(ROOT)
        count = len(path.read_text(encoding="utf-8").splitlines())
        module = ".".join(relative.with_suffix("").parts)
        checked = any(relative == Path(given) or Path(given) in relative.parents for given in mypy["files"])
        lines += count
        strict += count if checked and not any(fnmatch(module, pattern) for pattern in silenced) else 0
    return strict / lines


if __name__ == "__main__":
    sys.exit(main())
