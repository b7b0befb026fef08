"""Data sets: tables on this machine, by the old factory's methods."""

from __future__ import annotations

import io
import shutil
import urllib.request
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pellucid.errors import PellucidError
from pellucid.tabular.read import parquet_frame

if TYPE_CHECKING:
    from pellucid.azureml.workspace import Workspace


class DatasetError(PellucidError):
    """A data set, or a file of one, that does not exist."""


class TabularDataset:
    """A table that scripts cut, split and name.

    Examples
    --------
    >>> rows = TabularDataset(pd.DataFrame({"a": range(10), "b": range(10)}))
    >>> train, test = rows.random_split(percentage=0.8, seed=223)
    >>> len(train.to_pandas_dataframe()), len(test.to_pandas_dataframe())
    (8, 2)
    >>> rows.drop_columns("a").columns
    ['b']
    """

    def __init__(
        self, frame: pd.DataFrame, name: str | None = None, time: str | None = None
    ) -> None:
        self._frame = frame
        self._time = time
        self.name = name
        self.id = name or "dataset"

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return list(self._frame.columns)

    def to_pandas_dataframe(self, **others: Any) -> pd.DataFrame:
        """A copy of the table."""
        return self._frame.copy()

    def random_split(
        self, percentage: float, seed: int | None = None
    ) -> tuple[TabularDataset, TabularDataset]:
        """Two parts; the first has ``percentage`` (a share up to 1) of the rows."""
        order = np.random.default_rng(seed).permutation(len(self._frame))
        first = np.sort(order[: round(percentage * len(order))])
        second = np.setdiff1d(order, first)
        parts = (self._frame.iloc[rows].reset_index(drop=True) for rows in (first, second))
        left, right = map(self._same, parts)
        return left, right

    def drop_columns(self, columns: str | Sequence[str]) -> TabularDataset:
        """Without some columns."""
        return self._same(self._frame.drop(columns=_names(columns)))

    def keep_columns(self, columns: str | Sequence[str], validate: bool = False) -> TabularDataset:
        """Only some columns."""
        return self._same(self._frame[_names(columns)])

    def take(self, count: int) -> TabularDataset:
        """The first rows."""
        return self._same(self._frame.head(count))

    def skip(self, count: int) -> TabularDataset:
        """All but the first rows."""
        return self._same(self._frame.iloc[count:].reset_index(drop=True))

    def take_sample(self, probability: float, seed: int | None = None) -> TabularDataset:
        """Each row with a probability."""
        return self.random_split(probability, seed)[0]

    def with_timestamp_columns(
        self, timestamp: str | None = None, partition_timestamp: str | None = None, **others: Any
    ) -> TabularDataset:
        """Say which column has the times that `time_before` and the others go by."""
        name = timestamp or others.get("fine_grain_timestamp")
        if name not in self._frame.columns:
            raise DatasetError(f"there is no column {name!r}; columns: {', '.join(self.columns)}")
        times = pd.to_datetime(self._frame[name])
        return TabularDataset(self._frame.assign(**{str(name): times}), self.name, name)

    def time_before(self, end_time: Any, include_boundary: bool = True) -> TabularDataset:
        """Rows up to a time."""
        return self.time_between(None, end_time, include_boundary)

    def time_after(self, start_time: Any, include_boundary: bool = True) -> TabularDataset:
        """Rows from a time on."""
        return self.time_between(start_time, None, include_boundary)

    def time_recent(self, time_delta: Any, include_boundary: bool = True) -> TabularDataset:
        """Rows of so long before the last one."""
        return self.time_after(self._times.max() - pd.Timedelta(time_delta), include_boundary)

    def time_between(
        self, start_time: Any, end_time: Any, include_boundary: bool = True
    ) -> TabularDataset:
        """Rows between two times.

        Raises
        ------
        DatasetError
            Without a column of times.
        """
        times = self._times
        kept = np.ones(len(times), dtype=bool)
        if start_time is not None:
            kept &= times >= start_time if include_boundary else times > start_time
        if end_time is not None:
            kept &= times <= end_time if include_boundary else times < end_time
        return self._same(self._frame[kept].reset_index(drop=True))

    def _same(self, frame: pd.DataFrame) -> TabularDataset:
        """Other rows or columns, with the times where they still have them."""
        return TabularDataset(frame, time=self._time if self._time in frame.columns else None)

    @property
    def _times(self) -> pd.Series:
        if self._time is None:
            raise DatasetError("the data set has no column of times; call with_timestamp_columns")
        return self._frame[self._time]

    def register(
        self, workspace: Workspace, name: str, create_new_version: bool = False, **others: Any
    ) -> TabularDataset:
        """Keep it under a name."""
        folder = workspace.directory / "datasets"
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{name}.parquet"
        if file.exists() and not create_new_version:
            raise DatasetError(
                f"there is a data set {name!r} already; pass create_new_version=True to replace it"
            )
        self._frame.to_parquet(file, index=False)
        return TabularDataset(self._frame, name, self._time)

    def as_named_input(self, name: str) -> TabularDataset:
        """Itself: inputs are passed as they are."""
        return self

    def __len__(self) -> int:
        return len(self._frame)


class TabularDatasetFactory:
    """Reads tables from files."""

    @staticmethod
    def from_delimited_files(path: Any, separator: str = ",", **others: Any) -> TabularDataset:
        """CSV files: a path, a URL, a list of them, or (datastore, path)."""
        known = {key: others[key] for key in ("encoding",) if isinstance(others.get(key), str)}
        frames = [pd.read_csv(each, sep=separator, **known) for each in _places(path)]
        return TabularDataset(pd.concat(frames, ignore_index=True))

    @staticmethod
    def from_parquet_files(path: Any, **others: Any) -> TabularDataset:
        """Parquet files, named as for `from_delimited_files`."""
        frames = [_read_parquet(each) for each in _places(path)]
        return TabularDataset(pd.concat(frames, ignore_index=True))

    @staticmethod
    def from_json_lines_files(path: Any, **others: Any) -> TabularDataset:
        """Files with a JSON object a line."""
        frames = [pd.read_json(each, lines=True) for each in _places(path)]
        return TabularDataset(pd.concat(frames, ignore_index=True))

    @staticmethod
    def register_pandas_dataframe(
        dataframe: pd.DataFrame, target: Any, name: str, **others: Any
    ) -> TabularDataset:
        """Keep a frame under a name, in the workspace of a datastore."""
        store = target[0] if isinstance(target, tuple) else target
        return TabularDataset(dataframe).register(store.workspace, name, create_new_version=True)


class Dataset:
    """The door to data sets: ``Dataset.Tabular``, and those that have a name."""

    Tabular = TabularDatasetFactory

    @staticmethod
    def get_by_name(workspace: Workspace, name: str, **others: Any) -> TabularDataset:
        """The data set that was registered under a name."""
        known = registered(workspace)
        if name not in known:
            raise DatasetError(
                f"there is no data set {name!r} in {workspace.directory}; "
                f"known: {', '.join(known) or 'none'}"
            )
        return known[name]

    get_by_id = get_by_name


class Datastore:
    """A folder on this machine."""

    def __init__(self, workspace: Workspace, name: str = "workspaceblobstore") -> None:
        self.workspace = workspace
        self.name = name
        self.directory = workspace.directory / "datastores" / name

    @classmethod
    def get(cls, workspace: Workspace, datastore_name: str) -> Datastore:
        """The folder of a name."""
        return cls(workspace, datastore_name)

    def upload_files(
        self, files: Iterable[str], target_path: str = ".", overwrite: bool = False, **others: Any
    ) -> tuple[Datastore, str]:
        """Copy files into the folder."""
        for each in map(Path, files):
            self._copy(each, Path(target_path) / each.name, overwrite)
        return self, target_path

    def upload(
        self, src_dir: str, target_path: str = ".", overwrite: bool = False, **others: Any
    ) -> tuple[Datastore, str]:
        """Copy what is in a folder into this one."""
        for each in sorted(Path(src_dir).rglob("*")):
            if each.is_file():
                self._copy(each, Path(target_path) / each.relative_to(src_dir), overwrite)
        return self, target_path

    def path(self, path: str) -> tuple[Datastore, str]:
        """A place in the folder, as the factory takes it."""
        return self, path

    def _copy(self, source: Path, place: Path, overwrite: bool) -> None:
        target = self.directory / place
        if target.exists() and not overwrite:
            raise DatasetError(f"{target} exists already; pass overwrite=True to replace it")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def registered(workspace: Workspace) -> dict[str, TabularDataset]:
    """Data sets by name."""
    files = sorted((workspace.directory / "datasets").glob("*.parquet"))
    return {file.stem: TabularDataset(parquet_frame(file), file.stem) for file in files}


def _names(columns: str | Sequence[str]) -> list[str]:
    return [columns] if isinstance(columns, str) else list(columns)


def _read_parquet(place: str) -> pd.DataFrame:
    """The frame of a file, or of an address on the web, whose text is known to be text."""
    if not place.startswith(("http://", "https://")):
        return parquet_frame(place)
    with urllib.request.urlopen(place) as answer:  # nosec B310: of these two schemes
        return parquet_frame(io.BytesIO(answer.read()))


def _places(path: Any) -> list[str]:
    """Files and URLs of what a factory was given."""
    if isinstance(path, tuple) and len(path) == 2 and isinstance(path[0], Datastore):
        folder, pattern = path[0].directory, str(path[1])
        found = sorted(folder.glob(pattern)) if any(c in pattern for c in "*?[") else []
        places = [str(each) for each in found] or [str(folder / pattern)]
    elif isinstance(path, (str, Path)):
        places = [str(path)]
    else:
        places = [place for each in path for place in _places(each)]
    for place in places:
        if "://" not in place and not Path(place).exists():
            raise DatasetError(f"there is no file {place}; give a local path or a URL")
    return places
