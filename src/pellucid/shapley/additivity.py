"""Hold explanations to the predictions that they explain, row by row.

Base value plus Shapley values is the margin, by definition. Floats add up to it within rounding,
which is relative to the numbers that are added: those of the row, and those that the model itself
adds and takes away again (two trees that cancel, a coefficient times a date less an intercept).
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np

from pellucid.shapley.errors import AdditivityError, ShapleyError


class Tolerance(NamedTuple):
    """What a sum may miss a margin by.

    relative : of what the row adds up, base value and values without their signs.
    rounding : of what the model adds up, whatever the row.
    """

    relative: float
    rounding: float


FLOAT64 = Tolerance(1e-9, 1e-13)  # of margins that were added up in float64
FLOAT32 = Tolerance(1e-5, 1e-6)


class Sums(Protocol):
    """What is asked of tables whose values are to be held to a margin."""

    @property
    def source(self) -> str:
        """Where the margin comes from, as messages call it."""
        ...

    @property
    def base_values(self) -> np.ndarray:
        """Mean margin over the background, (n_outputs,)."""
        ...

    @property
    def magnitude(self) -> np.ndarray:
        """Sum of the largest numbers, without signs, that margins are sums of, (n_outputs,)."""
        ...


def hold_to_margins(
    tables: Sums, values: Any, margins: Any, *, tolerance: Tolerance = FLOAT64
) -> np.ndarray:
    """Check that base value and values of each row add up to its margin.

    Parameters
    ----------
    tables : what gave the values
    values : array (n_rows, n_players), or (n_rows, n_players, n_outputs)
    margins : array (n_rows, n_outputs), or (n_rows,) when there is one
        The model's own, of the same rows.
    tolerance : Tolerance
        `FLOAT64`, or `FLOAT32` for margins that were added up in float32.

    Returns
    -------
    ndarray of float64, (n_rows, n_outputs)
        What each sum misses its margin by.

    Raises
    ------
    AdditivityError
        The first row that misses it by more than ``tolerance``; a NaN does.
    ShapleyError
        Margins whose shape does not fit the values.
    """
    base = np.asarray(tables.base_values, dtype=np.float64)
    given = np.asarray(values, dtype=np.float64)
    cube = given[:, :, None] if given.ndim == 2 else given  # (n_rows, n_players, n_outputs)
    own = np.asarray(margins, dtype=np.float64)
    if cube.ndim != 3 or cube.shape[2] != len(base):
        raise ShapleyError(f"values has shape {given.shape}; expected what these tables give")
    if own.shape != (len(cube), len(base)) and (own.shape != (len(cube),) or len(base) != 1):
        raise ShapleyError(
            f"margins has shape {own.shape}; expected ({len(cube)}, {len(base)}): one for each "
            "row of the values and each output, before any link"
        )
    own = own.reshape(len(cube), len(base))
    sums = cube.sum(axis=1) + base
    with np.errstate(invalid="ignore"):  # inf less inf is NaN, and fails
        gaps: np.ndarray = np.abs(sums - own)
    added = np.abs(cube).sum(axis=1) + np.abs(base)
    allowed = tolerance.relative * added + tolerance.rounding * tables.magnitude
    wrong = ~(gaps <= allowed)
    if wrong.any():
        row, output = np.argwhere(wrong)[0]
        raise AdditivityError(
            f"{tables.source}: base value and Shapley values of row {row} add up to "
            f"{sums[row, output]:.17g}, the model's own margin is {own[row, output]:.17g}"
            + (f" (output {output})" if len(base) > 1 else "")
            + f"; they differ by {gaps[row, output]:.3g}, and {allowed[row, output]:.3g} is "
            f"rounding. {int(wrong.any(axis=1).sum())} of {len(own)} rows are not explained "
            "exactly: do not use them, check that the margins are of this model and these rows, "
            "and report it if they are"
        )
    return gaps
