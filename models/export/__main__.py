"""Writes a classifier in other formats, each checked against the original: `python -m models.export MODEL --out DIR`."""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from models.output.command_line import run_tensorflow_command

FORMATS = ("keras", "savedmodel", "tflite", "tflite-int8")


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every format was written, 1 where one could not be, 2 after a mistake in what was asked."""
    parser = ArgumentParser(
        "python -m models.export", description="Writes a classifier in other formats, each checked against the original."
    )
    parser.add_argument("model", help="a model file or folder, or the name of a bundled classifier")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to write; it must be new or empty")
    parser.add_argument("--formats", nargs="+", choices=FORMATS, metavar="FORMAT", help=f"of {', '.join(FORMATS)} (default: all)")
    parser.add_argument(
        "--pictures", type=Path, metavar="DIR", help="pictures like those it will see: 32 to check on, others for int8, which needs them"
    )
    parser.add_argument("--seed", type=int, default=0, help="decides which pictures are taken (default: 0)")
    options = parser.parse_args(arguments)

    def command() -> int:
        from models.export.exporter import export_model

        formats = options.formats or [name for name in FORMATS if name != "tflite-int8" or options.pictures]
        exported = export_model(options.model, options.out, formats, options.pictures, options.seed)
        print("\n".join(each.summary() for each in exported))
        if not options.formats and not options.pictures:
            print("tflite-int8: left out, because it needs pictures like those it will see; give a folder with --pictures.")
        print(f"Written to {options.out}")
        return int(any(each.reason for each in exported))

    return run_tensorflow_command(command)


if __name__ == "__main__":
    sys.exit(main())
