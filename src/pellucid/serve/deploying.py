"""Services of this user on this machine: a new one, and those that there are."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from pellucid.serve.errors import ServeError
from pellucid.serve.local import FACTS
from pellucid.serve.process import free_port, start_process
from pellucid.serve.service import Service, checked_target, positive
from pellucid.serve.settings import Settings
from pellucid.store.location import locate

HOME = "PELLUCID_SERVICES"  # the environment variable: the folder that holds services
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def deploy(
    target: str,
    *,
    name: str,
    cpu_cores: float | None = None,
    memory_gb: float | None = None,
    workers: int = 1,
    port: int | None = None,
    tags: Mapping[str, str] | None = None,
    keys_file: str | Path | None = None,
    store: str | Path | None = None,
    trust: str | Path | None = None,
) -> Service:
    """Serve a model by a process of this machine that goes on when the notebook has ended.

    Parameters
    ----------
    target : str
        A registered model, such as "bank@champion", or the folder of a model.
    name : str
        What to call the service; letters, digits, points, - and _.
    cpu_cores : float, optional
        Cores that it may use, rounded up to whole ones.
    memory_gb : float, optional
        Memory that it may have.
    workers : int
        Processes that answer.
    port : int, optional
        On loopback; one that is free by default.
    tags : mapping of str, optional
    keys_file : str or Path, optional
        File of API keys, one a line.
    store : str, Path or None
        As for `pellucid.load_run`.
    trust : str or Path, optional
        File of public keys, PEM; what none of them signed is not served, also when the alias moves.

    Returns
    -------
    Service
        It starts; ``wait()`` until it answers.

    Raises
    ------
    ServeError, RegistryError
        A name that is taken or cannot be one, or no such model.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ServeError(f"{name!r} cannot name a service; letters, digits, points, - and _ can")
    folder = _home() / name
    place = locate(store)
    settings = Settings(
        target=target,
        store=str(place.folder or place.uri),
        port=port if port is not None else free_port(),
        workers=workers,
        keys_file=None if keys_file is None else str(Path(keys_file).absolute()),
        trust=None if trust is None else str(Path(trust).absolute()),
    )
    settings = replace(settings, target=checked_target(target, settings.store))
    facts = {
        "settings": asdict(settings),
        "cpu_cores": None if cpu_cores is None else positive("cpu_cores", cpu_cores),
        "memory_gb": None if memory_gb is None else positive("memory_gb", memory_gb),
        "tags": dict(tags or {}),
        "created": datetime.now(UTC).isoformat(),
    }
    try:
        folder.mkdir(parents=True, mode=0o700)
    except FileExistsError:
        raise ServeError(
            f"there is a service {name!r} already; update() it, or delete() it first"
        ) from None
    start_process(folder, facts)
    return Service(folder)


def services() -> list[Service]:
    """The services of this user on this machine, by name."""
    home = _home()
    if not home.is_dir():
        return []
    return [Service(path) for path in sorted(home.iterdir()) if (path / FACTS).is_file()]


def _home() -> Path:
    if os.environ.get(HOME):
        return Path(os.environ[HOME]).absolute()
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "pellucid" / "services"
