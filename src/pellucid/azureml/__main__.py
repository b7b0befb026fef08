"""Run an old script as it is: ``python -m pellucid.azureml [--override] script.py [arguments]``."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from pellucid.azureml.aliases import AliasError, install
from pellucid.azureml.bygone import restore

_USAGE = "usage: python -m pellucid.azureml [--override] script.py [arguments]"


def main(arguments: list[str]) -> int:
    """Run the script with ``azureml`` answered by ours; give the exit code."""
    override = arguments[:1] == ["--override"]
    rest = arguments[override:]
    if not rest or rest[0].startswith("-"):
        print(_USAGE, file=sys.stderr)
        return 2
    script = Path(rest[0])
    if not script.is_file():
        print(f"there is no script {script}\n{_USAGE}", file=sys.stderr)
        return 2
    try:
        install(override=override)
    except AliasError as error:
        print(error, file=sys.stderr)
        return 2
    restore()
    sys.argv = rest
    sys.path.insert(0, str(script.resolve().parent))
    runpy.run_path(str(script), run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
