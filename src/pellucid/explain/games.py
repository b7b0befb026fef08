"""The game of any model in any space, played on rows mixed at a cut.

Few active players are enumerated, which is exact; else orders are sampled, with standard errors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from pellucid import shapley
from pellucid.explain.closed import ClosedForm
from pellucid.explain.cut import Cut
from pellucid.explain.explanation import ExplanationError
from pellucid.explain.matrices import dense, is_numeric
from pellucid.explain.setting import Setting
from pellucid.explain.subject import Space

ENUMERATED = 10  # players up to which all coalitions are tried
_PASSES = 10  # over the background, when no precision is asked for; as `shapley.sample` does
_WIDEST = 20_000  # columns of a CSR matrix that may be made dense


@dataclass(frozen=True, eq=False)
class Game:
    """Rows, background and players of a game, and the function that is played.

    predict : from mixed rows to answers. rows, background : arrays of numbers, or frames.
    of_column : int (n_columns,); the player of each column.
    """

    predict: Callable[[Any], np.ndarray]
    rows: Any
    background: Any
    of_column: np.ndarray
    n_players: int

    @property
    def predictions(self) -> int:
        """Rows that the model is asked about, at most, when all coalitions or ten passes are."""
        each = most_predictions(self.n_players, self.background.shape[0])
        return int(self.rows.shape[0] * each)

    def play(
        self, *, precision: float | None, exact: bool, seed: int, max_evals: int | None = None
    ) -> shapley.Sampled:
        """Values with standard errors.

        Raises
        ------
        ShapleyError
            Too many active players for ``exact``, or answers that are not finite.
        """
        return shapley.sample(
            self.predict,
            self.rows,
            background=self.background,
            players=self.of_column,
            precision=precision,
            max_evals=max_evals,
            method="exact" if exact else "auto",
            seed=seed,
        )


def most_predictions(n_players: int, n_background: int) -> int:
    """Rows that a model is asked about, at most, for one row of a game.

    Examples
    --------
    >>> most_predictions(3, 100), most_predictions(30, 100)
    (800, 60000)
    """
    few = n_players <= ENUMERATED
    return n_background * (2**n_players if few else 2 * _PASSES * n_players)


def game_at(setting: Setting, cut: Cut, space: Space) -> Game:
    """The game of a subject, mixed at a cut.

    Raises
    ------
    SubjectError
        If the subject has no such space.
    ExplanationError
        Rows that are too wide to be mixed.
    """
    depth, of_column = cut.depth, cut.of_column
    rows, background = setting.rows_at(depth), setting.background_at(depth)
    if isinstance(rows, pd.Series):  # the one column of a text model
        depth, rows, background = 0, setting.rows_at(0), setting.background_at(0)
    ask = setting.subject.ask(space, depth=depth)
    n_players = len(cut.names)
    if isinstance(rows, pd.DataFrame):
        labels = rows.columns
        if {*rows.dtypes, *background.dtypes} == {np.dtype(np.float64)}:  # arrays mix faster
            return Game(
                lambda mixed: ask(pd.DataFrame(mixed, columns=labels)),
                rows.to_numpy(), background.to_numpy(), of_column, n_players,
            )  # fmt: skip
        return Game(ask, rows, background, of_column, n_players)
    if sparse.issparse(rows):
        if rows.shape[1] > _WIDEST:
            raise ExplanationError(
                f"{rows.shape[1]} columns are too many to mix rows of; give larger groups as "
                f"players, or method='mimic'"
            )
        return Game(
            lambda mixed: ask(sparse.csr_matrix(mixed)),
            dense(rows), dense(background), of_column, n_players,
        )  # fmt: skip
    if not is_numeric(rows):
        return Game(
            lambda frame: ask(frame.to_numpy(dtype=object)),
            pd.DataFrame(rows), pd.DataFrame(background), of_column, n_players,
        )  # fmt: skip
    return Game(ask, rows, background, of_column, n_players)


def game_of_parts(setting: Setting, depth: int, form: ClosedForm, n_players: int) -> Game:
    """The game behind the link of a linear margin: a mixed row is the sum of its players' parts."""
    link = setting.subject.core.link
    assert link is not None
    base, n_outputs = form.base_values, len(form.base_values)

    def predict(parts: np.ndarray) -> np.ndarray:
        sums = parts.reshape(len(parts), n_players, n_outputs).sum(axis=1)
        return link(sums + base)

    rows, background = (
        form.values(some).reshape(some.shape[0], -1)
        for some in (setting.rows_at(depth), setting.background_at(depth))
    )
    return Game(predict, rows, background, np.repeat(np.arange(n_players), n_outputs), n_players)
