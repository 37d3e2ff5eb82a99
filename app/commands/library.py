"""Explains many pictures and stores their coarse maps next to the model: what maps of unrelated pictures have in common."""

import sys

from tqdm import tqdm

from app.commands.engine import with_chosen_engine
from app.map_library import LibraryBuilder, list_picture_files
from app.model_files import map_library_path
from app.options import LibraryOptions
from errors import UserError
from explainers.metrics.agreement.significance import MIN_PICTURES
from models.loading import load_classifier


def build_map_library(options: LibraryOptions) -> int:
    """Writes the library next to the model; 0, or 1 where some picture could not be read.

    Continues where it was interrupted, and adds to an existing library that was made in the same way.
    """
    files = list_picture_files(options.pictures)
    if len(files) <= MIN_PICTURES:
        raise UserError(f"{options.pictures} holds {len(files)} pictures; a library needs more than {MIN_PICTURES}, better 100 or 200.")
    classifier = with_chosen_engine(load_classifier(options.model, options.trust), options.engine)
    path = options.out or map_library_path(options.model)
    builder = LibraryBuilder.resumed(classifier, options.model, options.preset, path)
    failed = 0
    with tqdm(total=len(files), desc=path.name, unit=" pictures", disable=options.quiet or None) as bar:
        for file in files:
            try:
                builder.add(file)
            except (UserError, OSError) as error:
                print(f"{file}: {error}", file=sys.stderr)
                failed += 1
            bar.update()
    for title, count in builder.finish().too_few().items():
        need = f"of {len(builder.rows)} pictures only {count} gave a map of {title}, and chance needs more than {MIN_PICTURES}"
        print(f"{path.name}: {need}; what is compared with it cannot be told yet.", file=sys.stderr)
    if not options.quiet:
        print(f"Written to {path}: maps of {len(builder.rows)} pictures.")
    return int(failed > 0)
