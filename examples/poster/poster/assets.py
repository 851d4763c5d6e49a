"""Static files by names that carry a hash of their content: `python -m poster.assets` makes them at a deploy, pages ask for them."""

import hashlib
import json
import os
import shutil
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).parent / "static"
# Where nginx serves them, and the address that visitors find them at: the site's own, or a CDN's.
ROOT = os.environ.get("STATIC_ROOT")
URL = os.environ.get("STATIC_URL", "/static/")


def collect(root):
    names = {}
    for path in sorted(path for path in SOURCE.rglob("*") if path.is_file()):
        name = path.relative_to(SOURCE)
        hashed = name.with_suffix(f".{hashlib.sha256(path.read_bytes()).hexdigest()[:12]}{name.suffix}")
        (root / hashed).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, root / hashed)
        names[str(name)] = str(hashed)
    (root / "names.json").write_text(json.dumps(names))


@cache
def names():
    file = Path(ROOT or ".") / "names.json"
    return json.loads(file.read_text()) if ROOT and file.exists() else {}


def address(name):
    """The address of a static file, for a page."""
    return URL + names().get(name, name)


if __name__ == "__main__":
    collect(Path(ROOT))
