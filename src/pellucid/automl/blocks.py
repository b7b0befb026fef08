"""Partitions of a Dask DataFrame engineered where they are, which makes the shares of the workers.

Dask chooses who engineers a partition, near its rows where they are in memory; a worker's share is
what it wrote. So no row passes through the caller.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pellucid.automl.gang import Gang
from pellucid.automl.whole import write_whole
from pellucid.errors import PellucidError
from pellucid.search.whole import MATRIX, TARGET, WEIGHT, WholeRef
from pellucid.tabular.partitions import Partition

if TYPE_CHECKING:
    from pellucid.automl.shares import Rows


def write_blocks(gang: Gang, frame: Any, rows: Rows) -> list[WholeRef]:
    """Have each partition of a Dask DataFrame engineered; gives the share of each worker.

    Workers that wrote no row leave the gang.

    Raises
    ------
    PellucidError
        What a partition holds does not fit; the error names the partition.
    BrokenError
        A worker was lost, or time ran out.
    """
    from dask import delayed

    name = f"pellucid-share-{uuid.uuid4().hex}"
    wanted = [column for column in frame.columns if column in rows.table.wanted]
    sent = delayed(rows, name=f"pellucid-rows-{name}", traverse=False)
    tasks = [
        delayed(_write_block, pure=False)(part, sent, name, number)
        for number, part in enumerate(frame[wanted].to_delayed())
    ]
    running = gang.client.compute(tasks, workers=gang.addresses, allow_other_workers=False)
    try:
        written = gang.watch(running, tell=True)
    except PellucidError:
        gang.run(_forget, [(name,)] * len(gang.addresses))
        raise
    own: dict[str, list[int]] = {address: [] for address in gang.addresses}
    for number, (address, n_rows) in enumerate(written):
        if n_rows:
            own[address].append(number)
    gang.keep([i for i, address in enumerate(gang.addresses) if own[address]])
    return gang.run(_join, [(name, own[address], rows.sample) for address in gang.addresses])


# -- on a worker --------------------------------------------------------------------------------
def _home(name: str) -> Path:
    from distributed import get_worker

    return Path(get_worker().local_directory) / name


def _write_block(frame: pd.DataFrame, rows: Rows, name: str, number: int) -> tuple[str, int]:
    """Engineer a partition onto this worker's disk; gives who did, and how many rows."""
    from distributed import get_worker

    home = _home(name)
    home.mkdir(exist_ok=True)
    written = write_whole(
        replace(rows.table, n_rows=len(frame)), rows.schema, rows.featurizer, rows.target,
        rows.sample, home / str(number), parts=[Partition(frame, number)],
    )  # fmt: skip
    assert written is not None  # without a deadline
    return get_worker().address, written[0].n_rows


def _forget(name: str) -> None:
    shutil.rmtree(_home(name), ignore_errors=True)


def _join(name: str, numbers: Sequence[int], sample: Any) -> WholeRef:
    """Make one share of this worker's blocks, which go as they are copied."""
    home = _home(name)
    blocks = [home / str(number) for number in numbers]
    for file in (TARGET, WEIGHT):
        if (blocks[0] / file).exists():
            np.save(home / file, np.concatenate([np.load(each / file) for each in blocks]))
    n_rows = len(np.load(home / TARGET, mmap_mode="r"))
    with open(home / MATRIX, "wb") as whole:
        for block in blocks:
            with open(block / MATRIX, "rb") as matrix:
                shutil.copyfileobj(matrix, whole)
            shutil.rmtree(block)
    n_columns = (home / MATRIX).stat().st_size // (4 * n_rows)
    return WholeRef(str(home), n_rows, n_columns, sample)
