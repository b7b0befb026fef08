"""Files of a table explained by the workers of a cluster, each by one, onto a disk they share."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pellucid.errors import PellucidError
from pellucid.explain.carried import Carried
from pellucid.tabular.parts import Part

_SENDINGS = 3  # times that the model is sent when all workers that had it have died
_PAUSE = 2.0  # seconds until the model is sent again
Record = dict[str, Any]


class SpreadError(PellucidError):
    """Workers of a cluster cannot read or write a table's files."""


def write_parts(
    client: Any,
    model: Carried,
    parts: Sequence[Part],
    target: Path,
    write: Callable[[Carried, Part], Record],
    on_record: Callable[[int, Record], None],
) -> None:
    """Have each file written by a worker; what a dead one had begun, another does again.

    Parameters
    ----------
    write : what a worker does; a file that it writes appears whole or not at all.
    on_record : told the number of a part and what became of it.

    Raises
    ------
    SpreadError
        A worker that does not see the files, or a model that was lost again and again.
    """
    from distributed import as_completed

    left = dict(enumerate(parts))
    for _ in range(_SENDINGS):
        try:
            sent = client.scatter([model], broadcast=True, hash=False)[0]
        except (KeyError, OSError):  # a worker went while it was sent
            time.sleep(_PAUSE)
            continue
        running = {
            client.submit(_checked, write, sent, part, target, pure=False): number
            for number, part in left.items()
        }
        for future in as_completed(list(running)):
            if future.status in ("cancelled", "lost"):
                continue
            on_record(running[future], future.result())
            del left[running[future]]
        if not left:
            return
    raise SpreadError(
        f"{len(left)} files were not done: workers died {_SENDINGS} times with all that they had; "
        f"is their memory enough for a chunk and the model?"
    )


def _checked(
    write: Callable[[Carried, Part], Record], model: Carried, part: Part, target: Path
) -> Record:
    if not part.path.exists() or not target.is_dir():
        absent = part.path if not part.path.exists() else target
        raise SpreadError(
            f"a worker sees no {absent}; source and target must be on a disk that all workers "
            f"share, under the same path"
        )
    return write(model, part)
