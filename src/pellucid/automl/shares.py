"""Members that the workers of a cluster learn together, each from the rows that are its share.

A worker engineers its files, or its partitions of a Dask DataFrame, onto its own disk and keeps of
each cell what the family keeps; boosting libraries add up the shares' histograms among themselves,
linear members the sums that their solver takes. A worker that dies takes its
share with it, so all begin again with those that are there, once.
"""

from __future__ import annotations

import secrets
import shutil
import socket
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import numpy as np

from pellucid.automl.blocks import write_blocks
from pellucid.automl.gang import LATE, BrokenError, Gang
from pellucid.automl.target import Target
from pellucid.automl.whole import Learned, WholeTable, put_in, write_whole
from pellucid.errors import PellucidError
from pellucid.models.boosting import Start
from pellucid.models.family import Member
from pellucid.models.packing import pack, unpack
from pellucid.models.shared import Peers, learns_shared
from pellucid.models.shared_view import Sums, add, agree, fit_share, share_sums
from pellucid.models.statistics import count_codes
from pellucid.search.ensemble import Part
from pellucid.search.trials import DataRef, TrialSpec, unpack_members, view_config
from pellucid.search.whole import WholeRef
from pellucid.tabular import parts as files
from pellucid.tabular.featurize import Featurizer
from pellucid.tabular.schema import Schema

_ATTEMPTS = 2
_TRACKERS: list[Any] = []  # XGBoost's, of the process that the others find one another by


class SharesError(PellucidError):
    """Workers did not learn together."""


@dataclass(frozen=True, eq=False)
class Rows:
    """What a worker needs to engineer its files."""

    table: WholeTable
    schema: Schema
    featurizer: Featurizer
    target: Target
    sample: DataRef

    @classmethod
    def of(
        cls,
        table: WholeTable,
        schema: Schema,
        featurizer: Featurizer,
        target: Target,
        sample: DataRef,
    ) -> Rows:
        """The same without rows, the sample's own or Dask's, which need not travel."""
        nothing = np.zeros(0)
        return cls(
            replace(table, sample=table.sample[:0], source=None if table.is_lazy else table.source),
            schema,
            featurizer,
            replace(target, y=nothing, known=nothing.astype(bool)),
            sample,
        )


def learn_shared(
    client: Any,
    rows: Rows,
    parts: tuple[Part, ...],
    wanted: dict[int, int],
    intercept: np.ndarray,
    *,
    end: float | None,
    frame: Any = None,
) -> Learned:
    """Put members that learned from all shares in the place of the sample's, as far as time allows.

    Parameters
    ----------
    parts : of the ensemble of the sample.
    wanted : iteration -> rounds to learn.
    end : by this machine's `time.monotonic`.
    frame : dask.dataframe.DataFrame, optional
        Whose partitions are learned from, instead of files.

    Raises
    ------
    SharesError
        A worker does not see the files.
    PellucidError
        What the files hold does not fit, as on one machine.
    """
    found: dict[int, Member] = {}
    why_not = {
        part.spec.iteration: "its family needs its rows in one place"
        for part in parts
        if not learns_shared(part.spec.family)
    }
    specs = [part.spec for part in parts if part.spec.iteration not in why_not]
    shares = 0
    for _ in range(_ATTEMPTS if specs else 0):
        left = [spec for spec in specs if spec.iteration not in found]
        try:
            gang = Gang(client, end)
            written = _write(gang, frame, rows)
            shares = len(written)
            for spec in left:
                found[spec.iteration] = _learn(gang, rows.sample, written, spec, wanted)
            gang.end = None
            gang.run(_drop_share, [(share,) for share in written])
        except BrokenError as error:
            why_not |= {spec.iteration: str(error) for spec in specs if spec.iteration not in found}
        if len(found) == len(specs) or (end is not None and time.monotonic() > end):
            break
    learned = put_in(found, parts, intercept, rows.sample, why_not)
    return replace(learned, shares=shares if found else 0)


def _write(gang: Gang, frame: Any, rows: Rows) -> list[WholeRef]:
    """Have each worker engineer its share; those without a row leave."""
    if frame is not None:
        return write_blocks(gang, frame, rows)
    assigned = _assigned(files.parts_of(rows.table.source), len(gang.addresses))
    gang.keep(range(len(assigned)))
    left = None if gang.end is None else gang.end - time.monotonic()
    calls = [(rows, own, len(assigned), left) for own in assigned]
    written = gang.run(_write_share, calls, tell=True)
    if any(share is None for share in written):
        raise BrokenError(LATE)
    there = [i for i, share in enumerate(written) if share.n_rows]
    gang.keep(there)
    return [written[i] for i in there]


def _learn(
    gang: Gang, sample: DataRef, shares: list[WholeRef], spec: TrialSpec, wanted: dict[int, int]
) -> Member:
    """Have all learn one member together."""
    own, config = sample.rows(), view_config(sample, spec)
    n_codes, frequent = agree(own, sample.problem, config["encoded"])
    sums: list[Sums] = []
    if config["encoded"]:
        own_sums = [(share, spec, n_codes, frequent, rank) for rank, share in enumerate(shares)]
        sums = add(gang.run(_sum_share, own_sums))
    ports = gang.run(_free_port, [()] * len(shares))
    hosts = [str(urlparse(address).hostname) for address in gang.addresses]
    tracker: dict[str, Any] = {}
    if spec.family == "xgboost":
        tracker = gang.run(_open_tracker, [(hosts[0], len(shares))])[0]
    peers = Peers(
        addresses=tuple(f"{host}:{port}" for host, port in zip(hosts, ports, strict=True)),
        rank=0,
        tracker=tracker,
        n_rows=sum(share.n_rows for share in shares),
        start=Start.of(own, sample.problem),
        codes={
            column: np.arange(count_codes(np.asarray(own.X[:, column])))
            for column in config["categorical"]
        },
        secret=secrets.token_bytes(32),
    )
    calls = [
        (share, spec, wanted[spec.iteration], sums, replace(peers, rank=rank))
        for rank, share in enumerate(shares)
    ]
    return unpack_members(unpack(gang.run(_learn_share, calls)[0]))[0]


def _assigned(parts: Sequence[files.Part], n: int) -> list[list[files.Part]]:
    """Files for at most ``n`` workers, large ones first to who has least."""
    own: list[list[files.Part]] = [[] for _ in range(min(n, len(parts)))]
    sizes = [0] * len(own)
    for part in sorted(parts, key=lambda part: -part.state[0]):
        least = int(np.argmin(sizes))
        own[least].append(part)
        sizes[least] += part.state[0]
    return own


# -- on a worker --------------------------------------------------------------------------------
def _write_share(
    rows: Rows, own: Sequence[files.Part], n_shares: int, left: float | None
) -> WholeRef | None:
    from distributed import get_worker

    for part in own:
        if not part.path.exists():
            raise SharesError(
                f"a worker sees no {part.path}; what workers learn from together must be on a "
                f"disk that all of them share, under the same path; learn='here' needs none"
            )
    folder = Path(tempfile.mkdtemp(prefix="pellucid-share-", dir=get_worker().local_directory))
    table = replace(rows.table, n_rows=rows.table.n_rows // n_shares)
    deadline = None if left is None else time.monotonic() + left
    written = write_whole(
        table, rows.schema, rows.featurizer, rows.target, rows.sample, folder,
        parts=own, deadline=deadline,
    )  # fmt: skip
    return None if written is None else written[0]


def _sum_share(
    share: WholeRef, spec: TrialSpec, n_codes: tuple[int, ...], frequent: np.ndarray, rank: int
) -> list[Sums]:
    config = view_config(share.sample, spec)
    return share_sums(share.rows(), config, n_codes, frequent, seed=spec.seed, rank=rank)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("", 0))
        return int(free.getsockname()[1])


def _open_tracker(host: str, n_workers: int) -> dict[str, Any]:
    from xgboost.tracker import RabitTracker

    _TRACKERS[:] = [RabitTracker(n_workers=n_workers, host_ip=host)]  # lives until the next one
    _TRACKERS[0].start()
    return dict(_TRACKERS[0].worker_args())


def _learn_share(
    share: WholeRef, spec: TrialSpec, rounds: int, sums: list[Sums], peers: Peers
) -> bytes | None:
    member = fit_share(
        share.rows(),
        share.sample.problem,
        view_config(share.sample, spec),
        sums,
        seed=spec.seed,
        rounds=rounds,
        peers=peers,
    )
    if peers.rank:
        return None
    return pack({f"0/{name}": content for name, content in member.to_files().items()})


def _drop_share(share: WholeRef) -> None:
    shutil.rmtree(share.folder, ignore_errors=True)
