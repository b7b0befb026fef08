"""How much memory is left, as the machine and its container see it."""

from __future__ import annotations

from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")
_SPARE = 0.04  # of the memory that there is, kept free
_LEAST_SPARE = 256 * 2**20


def available_memory() -> int | None:
    """Bytes that can still be had, None where nobody says."""
    machine = _meminfo("MemAvailable")
    limit, used = _number(_CGROUP / "memory.max"), _number(_CGROUP / "memory.current")
    if limit is None or used is None:
        return machine
    reclaimable = _field(_CGROUP / "memory.stat", "inactive_file") or 0
    left = limit - used + reclaimable
    return left if machine is None else min(machine, left)


def is_scarce() -> bool:
    """Whether so little is left that the system may soon end a process."""
    left = available_memory()
    total = _number(_CGROUP / "memory.max") or _meminfo("MemTotal")
    return left is not None and left < max(_LEAST_SPARE, _SPARE * (total or 0))


def _meminfo(name: str) -> int | None:
    kilobytes = _field(Path("/proc/meminfo"), f"{name}:")
    return None if kilobytes is None else kilobytes * 1024


def _field(path: Path, name: str) -> int | None:
    """The number after a name, in a file with one name a line."""
    try:
        for line in path.read_text("utf-8").splitlines():
            words = line.split()
            if words[:1] == [name]:
                return int(words[1])
    except (OSError, ValueError, IndexError):
        pass
    return None


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text("utf-8"))  # "max" when there is no limit
    except (OSError, ValueError):
        return None
