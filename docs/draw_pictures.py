"""A hook of mkdocs: the pictures of the guide are drawn by the code that stands beside them, while the site is built."""

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from mkdocs.structure.files import File

PAGE = "guide/pictures.md"


def on_files(files, config):
    """Run the page in a folder of its own, and add what it saves."""
    root, start = Path(config["docs_dir"]).parent, Path.cwd()
    sys.path.insert(0, str(root))
    from tests.pages import run

    with TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            run(f"docs/{PAGE}")
            for picture in sorted(Path(folder).glob("*.png")):
                place = Path(PAGE).with_name(picture.name).as_posix()
                files.append(File.generated(config, place, content=picture.read_bytes()))
        finally:
            os.chdir(start)
    return files
