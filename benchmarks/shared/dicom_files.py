"""What becomes of pydicom's own test files: `python -m benchmarks.shared.dicom_files`.

Every file that pydicom ships for its tests is given to the decoder, pictures, plans, reports and deliberately broken ones alike, and the
outcomes are counted. `--names` lists the files of each outcome.
"""

import argparse
import sys
from collections import defaultdict
from pathlib import Path

import pydicom

from benchmarks.shared.results_file import OPTION, run_benchmark
from errors import UserError
from models.images.decoder import read_picture
from models.output.markdown import markdown_table_head, markdown_table_row

OTHER_SUFFIXES = (".txt", ".json", ".dump", ".icc", ".gz")
"""Of files beside the DICOM ones."""
READ = "read"


def main() -> None:
    """Prints a row for each outcome."""
    parser = argparse.ArgumentParser(description=__doc__, parents=[OPTION], formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--names", action="store_true", help="list the files of each outcome")
    options = parser.parse_args()
    found: dict[str, list[str]] = defaultdict(list)
    for file in _files():
        found[_outcome(file)].append(file.name)
    print(f"pydicom {pydicom.__version__}, {sum(map(len, found.values()))} files\n")
    print(markdown_table_head(("files", "outcome", *(("which",) if options.names else ()))))
    for outcome, names in sorted(found.items(), key=lambda each: -len(each[1])):
        print(markdown_table_row((f"{len(names)}", outcome, *((", ".join(names),) if options.names else ()))))


def _files() -> list[Path]:
    folder = Path(pydicom.__file__).parent / "data" / "test_files"
    return sorted(file for file in folder.rglob("*") if file.is_file() and file.suffix not in OTHER_SUFFIXES and file.stem != "README")


def _outcome(file: Path) -> str:
    """READ, or the sentence of the refusal, up to its advice."""
    try:
        read_picture(file.read_bytes())
    except UserError as error:
        return str(error).split(";")[0].split(". ")[0].rstrip(".")
    return READ


if __name__ == "__main__":
    sys.exit(run_benchmark("dicom_files", main))
