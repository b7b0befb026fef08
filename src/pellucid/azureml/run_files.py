"""The files of a run, by names that do not lead out of its folder."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pellucid.errors import PellucidError


class RunError(PellucidError):
    """A run, or a file of one, that does not exist."""


@dataclass(frozen=True)
class RunFiles:
    """The files in a run's folder, but for some that are its own."""

    directory: Path
    hidden: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """Their names, with "/" between folders."""
        files = (each for each in sorted(self.directory.rglob("*")) if each.is_file())
        names = [each.relative_to(self.directory).as_posix() for each in files]
        return [name for name in names if name not in self.hidden]

    def place(self, name: str) -> Path:
        """Where a file or folder is, or would be."""
        place = (self.directory / name).resolve()
        if not place.is_relative_to(self.directory.resolve()):
            raise RunError(f"{name!r} is outside of the run's folder")
        return place

    def add(self, name: str, path_or_stream: Any) -> None:
        """Keep a file under a name."""
        target = self.place(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        if hasattr(path_or_stream, "read"):
            content = path_or_stream.read()
            target.write_bytes(content.encode() if isinstance(content, str) else content)
        elif not Path(path_or_stream).is_file():
            raise RunError(f"there is no file {path_or_stream} to upload")
        elif Path(path_or_stream).resolve() != target.resolve():
            shutil.copyfile(path_or_stream, target)

    def add_folder(self, name: str, path: Path) -> None:
        """Keep what is in a folder."""
        for each in sorted(path.rglob("*")):
            if each.is_file():
                self.add(f"{name}/{each.relative_to(path).as_posix()}", each)


def copy_out(source: Path, target: Path) -> None:
    """Copy a file to another, or into a folder."""
    if target.is_dir():
        target = target / source.name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
