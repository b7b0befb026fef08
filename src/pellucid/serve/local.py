"""The process of a local service: held to its share of the machine, then serving.

Started as ``python -m pellucid.serve.local FOLDER`` by `pellucid.deploy`.
"""

from __future__ import annotations

import json
import math
import os
import sys
from pathlib import Path
from typing import Any

from pellucid.errors import PellucidError
from pellucid.serve.settings import Settings

FACTS = "service.json"


def limit(*, cpu_cores: float | None, memory_gb: float | None) -> None:
    """Hold this process and its children to some cores and some memory.

    Cores are whole ones: a part of one is one. Memory is what the process asks the system for and
    may write to (RLIMIT_DATA); beyond it an allocation fails, and with it that request alone. Linux
    holds to both; elsewhere the log says that nothing is held.
    """
    if cpu_cores is None and memory_gb is None:
        return
    if sys.platform != "linux":
        sys.stderr.write("pellucid: cpu_cores and memory_gb are held to on Linux alone\n")
        return
    import resource

    if cpu_cores is not None:
        mine = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, mine[: max(1, math.ceil(cpu_cores))])
    if memory_gb is not None:
        most = int(memory_gb * 2**30)
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def main(folder: Path) -> int:
    """Serve what a service's folder says; give an exit code."""
    facts: dict[str, Any] = json.loads((folder / FACTS).read_text("utf-8"))
    limit(cpu_cores=facts["cpu_cores"], memory_gb=facts["memory_gb"])
    from pellucid.serve.server import run_server

    try:
        run_server(Settings.from_json(json.dumps(facts["settings"])))
    except PellucidError as error:
        sys.stderr.write(f"pellucid: {error}\n")
        return 2
    except MemoryError:
        sys.stderr.write("pellucid: out of memory; give the service more memory_gb\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
