"""A member that sees some of the engineered columns, and category codes as target statistics.

Families differ in what serves them: a linear model needs a column for each level of a category,
CatBoost wants the code itself, and LightGBM gains from the mean target of a level where levels are
many. All of it happens column by column, so a player keeps its columns and exactness is kept.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pellucid.arrays import read_arrays
from pellucid.models.family import Config, Member, Rows, Shapley, get_family
from pellucid.models.problem import Problem
from pellucid.models.statistics import Statistics, places_of, target_statistics
from pellucid.models.stored import Matrix, StoredRows, stored_family


@dataclass(frozen=True, eq=False)
class ViewMember:
    """An inner member with the columns that it sees.

    columns : int64 (n_kept,); engineered columns passed on as they are.
    encoded : int64 (n_encoded,); engineered columns of codes, passed on as statistics after them.
    tables : for each encoded column, float32 (n_codes + 2, n_statistics); what stands for each
        code, then for an unseen and for a missing one.
    """

    inner: Member
    columns: np.ndarray
    encoded: np.ndarray
    tables: tuple[np.ndarray, ...]
    family: str = "view"

    @property
    def rounds(self) -> int:
        """How much the inner member learned."""
        return self.inner.rounds

    def see(self, X: np.ndarray) -> np.ndarray:
        """What the inner member is given, float32 (n_rows, n_kept + n_statistics)."""
        return _see(X, self.columns, self.encoded, self.tables)

    def margins(self, X: np.ndarray) -> np.ndarray:
        """Margins, float64 (n_rows, n_outputs)."""
        return self.inner.margins(self.see(X))

    def shapley(self, *, background: np.ndarray, players: np.ndarray) -> Shapley:
        """The inner member's values; a statistic plays with the column that it is made of."""
        widths = [table.shape[1] for table in self.tables]
        seen = np.concatenate([players[self.columns], np.repeat(players[self.encoded], widths)])
        own, inner_players = np.unique(seen, return_inverse=True)
        inner = self.inner.shapley(background=self.see(background), players=inner_players)
        return Scattered(self, inner, own, int(players.max(initial=-1)) + 1)

    def to_files(self) -> dict[str, bytes]:
        """The inner member's files, and the columns."""
        arrays = {f"table_{i}": table for i, table in enumerate(self.tables)}
        buffer = io.BytesIO()
        np.savez(buffer, columns=self.columns, encoded=self.encoded, **arrays)  # type: ignore[arg-type]
        facts = json.dumps({"family": self.inner.family})
        inner = {f"inner/{name}": data for name, data in self.inner.to_files().items()}
        return {"view.json": facts.encode(), "view.npz": buffer.getvalue(), **inner}


@dataclass(frozen=True, eq=False)
class Scattered:
    """Values of the players that the inner member sees, among all players."""

    member: ViewMember
    inner: Shapley
    own: np.ndarray
    n_players: int

    @property
    def base_values(self) -> np.ndarray:
        """Mean margin over the background, (n_outputs,)."""
        return self.inner.base_values

    @property
    def source(self) -> str:
        """Where the margin comes from, as messages call it."""
        return self.inner.source

    @property
    def magnitude(self) -> np.ndarray:
        """What margins are sums of, (n_outputs,)."""
        return self.inner.magnitude

    def values(self, X: np.ndarray) -> np.ndarray:
        """(n_rows, n_players), or (n_rows, n_players, n_outputs)."""
        return self.scatter(self.inner.values(self.member.see(X)))

    def scatter(self, inner: np.ndarray) -> np.ndarray:
        """Values of the inner member's players, among all."""
        if len(self.own) == self.n_players:
            return inner
        out = np.zeros((len(inner), self.n_players, *inner.shape[2:]))
        out[:, self.own] = inner
        return out


def _see(
    X: np.ndarray, columns: np.ndarray, encoded: np.ndarray, tables: tuple[np.ndarray, ...]
) -> np.ndarray:
    kept = np.take(X, columns, axis=1)  # in C order, as one row is: sums of rows have its bits
    if len(encoded) == 0:
        return kept
    parts = [table[places_of(X[:, at], len(table) - 2)] for at, table in zip(encoded, tables)]
    return np.concatenate([kept, *parts], axis=1, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class _Seen:
    """What the inner family sees of rows on disk."""

    matrix: Matrix
    columns: np.ndarray
    encoded: np.ndarray
    statistics: tuple[Statistics, ...]

    @property
    def shape(self) -> tuple[int, int]:
        width = sum(each.table.shape[1] for each in self.statistics)
        return self.matrix.shape[0], len(self.columns) + width

    def read(self, start: int, stop: int) -> np.ndarray:
        X = self.matrix.read(start, stop)
        kept = np.take(X, self.columns, axis=1)
        if not self.statistics:
            return kept
        rows = slice(start, stop)
        own = [s.fitted(rows, X[:, at]) for at, s in zip(self.encoded, self.statistics)]
        return np.concatenate([kept, *own], axis=1, dtype=np.float32)


class ViewFamily:
    """Fits another family on a view of the columns.

    Config: ``family`` and its ``config``; ``columns`` kept as they are, of which ``categorical``
    (positions in the engineered matrix) hold codes and ``words`` weights of words; ``encoded``
    columns of codes, which become target statistics. ``monotone`` has a sign for each engineered
    column, or none.
    """

    name = "view"

    def fit(
        self,
        train: Rows,
        problem: Problem,
        config: Config,
        *,
        seed: int,
        valid: Rows | None = None,
        rounds: int | None = None,
        deadline: float | None = None,
    ) -> ViewMember:
        """Encode, cut the columns, and fit the inner family."""
        columns = np.asarray(config["columns"], dtype=np.int64)
        monotone = tuple(config["monotone"][i] for i in columns) if config.get("monotone") else ()
        encoded = np.asarray(config.get("encoded", ()), dtype=np.int64)
        categorical = _positions(columns, config.get("categorical", ()))
        rng = np.random.default_rng([seed, len(train.X)])
        tables, fitted = [], []
        for column in encoded:
            codes = train.X[:, column]
            statistics = target_statistics(codes, train, problem, rng)
            tables.append(statistics.table)
            fitted.append(statistics.fitted(slice(None), codes))
        seen = np.take(train.X, columns, axis=1)
        if fitted:
            seen = np.concatenate([seen, *fitted], axis=1, dtype=np.float32)
        inner = get_family(config["family"]).fit(
            replace(
                train,
                X=seen,
                categorical=categorical,
                words=_positions(columns, config.get("words", ())),
                monotone=monotone + (0,) * (seen.shape[1] - len(columns)) if monotone else (),
            ),
            problem,
            config["config"],
            seed=seed,
            valid=None
            if valid is None
            else replace(
                valid, X=_see(valid.X, columns, encoded, tuple(tables)), categorical=categorical
            ),
            rounds=rounds,
            deadline=deadline,
        )
        return ViewMember(inner, columns, encoded, tuple(tables))

    def fit_stored(
        self,
        train: StoredRows,
        problem: Problem,
        config: Config,
        *,
        seed: int,
        rounds: int,
        deadline: float | None = None,
    ) -> ViewMember:
        """As `fit`, on rows on disk: each piece is seen when it is read.

        Raises
        ------
        FamilyError
            An inner family that needs its rows in memory.
        """
        rng = np.random.default_rng([seed, train.matrix.shape[0]])
        statistics = tuple(
            target_statistics(
                np.concatenate([X[:, column] for _, X in train.chunks()]), train, problem, rng
            )
            for column in config.get("encoded", ())
        )
        inner = stored_family(config["family"]).fit_stored(
            seen_rows(train, config, statistics),
            problem,
            config["config"],
            seed=seed,
            rounds=rounds,
            deadline=deadline,
        )
        return view_member(inner, config, statistics)

    def from_files(self, files: Mapping[str, bytes]) -> ViewMember:
        """Rebuild a member from its files."""
        facts: dict[str, Any] = json.loads(files["view.json"])
        prefix = "inner/"
        own = {name[len(prefix) :]: files[name] for name in files if name.startswith(prefix)}
        arrays = read_arrays(files["view.npz"])
        columns, encoded = arrays["columns"], arrays["encoded"]
        tables = tuple(arrays[f"table_{i}"] for i in range(len(encoded)))
        return ViewMember(get_family(facts["family"]).from_files(own), columns, encoded, tables)


def seen_rows(train: StoredRows, config: Config, statistics: tuple[Statistics, ...]) -> StoredRows:
    """Rows on disk as the inner family of a view sees them."""
    columns = np.asarray(config["columns"], dtype=np.int64)
    monotone = tuple(config["monotone"][i] for i in columns) if config.get("monotone") else ()
    encoded = np.asarray(config.get("encoded", ()), dtype=np.int64)
    seen = _Seen(train.matrix, columns, encoded, statistics)
    return replace(
        train,
        matrix=seen,
        categorical=_positions(columns, config.get("categorical", ())),
        words=_positions(columns, config.get("words", ())),
        monotone=monotone + (0,) * (seen.shape[1] - len(columns)) if monotone else (),
    )


def view_member(inner: Member, config: Config, statistics: tuple[Statistics, ...]) -> ViewMember:
    """What the inner family learned, with what it sees."""
    columns = np.asarray(config["columns"], dtype=np.int64)
    encoded = np.asarray(config.get("encoded", ()), dtype=np.int64)
    return ViewMember(inner, columns, encoded, tuple(s.table for s in statistics))


def _positions(columns: np.ndarray, of: Sequence[int]) -> tuple[int, ...]:
    """Where some engineered columns stand among those of a view."""
    return tuple(np.flatnonzero(np.isin(columns, np.asarray(of, dtype=np.int64))).tolist())


FAMILY = ViewFamily()
