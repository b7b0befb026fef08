"""What the caller gives beside X and y: weights, groups, rows kept apart; read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from pellucid.automl.target import Target, encode
from pellucid.errors import PellucidError
from pellucid.search.folds import Folds
from pellucid.tabular.read import to_frame

ClassWeight = Literal["balanced"] | Mapping[Any, float] | None


class AsideError(PellucidError, ValueError):
    """Weights, groups or rows kept apart do not fit the training rows."""


@dataclass(frozen=True, eq=False)
class Asides:
    """What goes with the training rows, all of it optional.

    weight : float64 (n_rows,); how much each row counts.
    groups : (n_rows,); rows of one group are never both learned from and judged by.
    n_valid : the last rows are a validation set.
    folds : how the rows are divided, where that is settled; every row has a target then.
    scale : float64 (n_rows,); what the errors of each row are divided by to be compared.
    """

    weight: np.ndarray | None = None
    groups: np.ndarray | None = None
    n_valid: int = 0
    folds: Folds | None = None
    scale: np.ndarray | None = None

    def known(self, known: np.ndarray) -> Asides:
        """The same for rows with a target, bool (n_rows,)."""
        cut = len(known) - self.n_valid
        return Asides(
            None if self.weight is None else self.weight[known],
            None if self.groups is None else self.groups[known],
            int(known[cut:].sum()),
            self.folds,
            None if self.scale is None else self.scale[known],
        )


@dataclass(frozen=True, eq=False)
class KeptApart:
    """Rows that the model does not learn from.

    y : (n_rows,) class codes or values, or None when unknown.
    scale : float64 (n_rows,), optional; as in `Asides`.
    """

    frame: pd.DataFrame
    y: np.ndarray | None
    scale: np.ndarray | None = None


def read_weight(weight: Any, *, n_rows: int) -> np.ndarray | None:
    """Weights as float64 (n_rows,), not negative and not all zero.

    Raises
    ------
    AsideError
        A wrong length, or weights that are no such numbers; the first bad row is named.
    """
    if weight is None:
        return None
    try:
        values = np.asarray(weight, dtype=np.float64).ravel()
    except (TypeError, ValueError) as error:
        raise AsideError(f"sample_weight must be numbers; {error}") from error
    if len(values) != n_rows:
        raise AsideError(f"sample_weight has {len(values)} entries for {n_rows} rows")
    bad = ~(np.isfinite(values) & (values >= 0))
    if bad.any():
        row = int(bad.argmax())
        raise AsideError(
            f"sample_weight of row {row} is {values[row]}; expected a finite number of at least 0"
        )
    if not values.any():
        raise AsideError("sample_weight is zero for every row; some row must count")
    return values


def weigh_classes(
    class_weight: ClassWeight, target: Target, weight: np.ndarray | None
) -> np.ndarray | None:
    """Multiply the rows' weights with those of their classes, (n_rows,).

    Raises
    ------
    AsideError
        A class that the target does not have, or a weight that is not positive.
    """
    if class_weight is None or target.classes is None:
        return weight
    counts = np.bincount(target.y, minlength=len(target.classes))
    if isinstance(class_weight, str):
        if class_weight != "balanced":
            raise AsideError(
                f"class_weight is {class_weight!r}; expected 'balanced', a mapping of class to "
                f"weight, or None"
            )
        of_class = len(target.y) / (len(counts) * np.maximum(counts, 1))
    else:
        of_class = np.ones(len(counts))
        labels = target.classes.tolist()
        for label, value in class_weight.items():
            if label not in labels:
                raise AsideError(
                    f"class_weight names {label!r}, which the target does not have; its classes "
                    f"are {', '.join(map(repr, labels[:10]))}"
                )
            if not (np.isfinite(value) and value > 0):
                raise AsideError(f"class_weight of {label!r} is {value}; expected more than 0")
            of_class[labels.index(label)] = value
    whole = np.ones(len(target.known)) if weight is None else weight.copy()
    whole[target.known] *= of_class[target.y]
    return whole


def read_groups(groups: Any, *, n_rows: int) -> np.ndarray | None:
    """Groups as codes, int64 (n_rows,); a missing one is a group of its own kind.

    Raises
    ------
    AsideError
        A wrong length.
    """
    if groups is None:
        return None
    values = pd.Series(np.asarray(groups).ravel())
    if len(values) != n_rows:
        raise AsideError(f"groups has {len(values)} entries for {n_rows} rows")
    return pd.factorize(values, use_na_sentinel=False)[0].astype(np.int64)


def read_kept_apart(
    X: Any, y: Any, target: Target, *, columns: tuple[str, ...], what: str
) -> KeptApart | None:
    """Test or validation rows; those without a target are left out where targets are given.

    Raises
    ------
    AsideError
        Targets without rows.
    """
    if X is None:
        if y is not None:
            raise AsideError(f"y_{what} was given without X_{what}; give both or neither")
        return None
    frame = to_frame(X, feature_names=columns)
    if y is None:
        return KeptApart(frame, None)
    codes, known = encode(y, target, n_rows=len(frame))
    return KeptApart(frame[known], codes[known])


def _check_classes(weight: np.ndarray | None, target: Target) -> None:
    """Refuse weights that leave a class without any."""
    if weight is None or target.classes is None:
        return
    total = np.bincount(target.y, weight[target.known], minlength=len(target.classes))
    if (total == 0).any():
        label = target.classes.tolist()[int((total == 0).argmax())]
        raise AsideError(
            f"every row of class {label!r} has weight zero; leave its rows out, or give one of "
            f"them a weight"
        )


def read_asides(
    frame: pd.DataFrame,
    target: Target,
    *,
    sample_weight: Any,
    class_weight: ClassWeight,
    groups: Any,
    X_valid: Any,
    y_valid: Any,
) -> tuple[pd.DataFrame, Target, Asides]:
    """Weights and groups of the training rows, with validation rows put behind these.

    Raises
    ------
    AsideError
        What does not fit the training rows; see the readers above.
    """
    weight = read_weight(sample_weight, n_rows=len(frame))
    weight = weigh_classes(class_weight, target, weight)
    _check_classes(weight, target)
    asides = Asides(weight, read_groups(groups, n_rows=len(frame)))
    valid = read_kept_apart(X_valid, y_valid, target, columns=tuple(frame.columns), what="valid")
    return join_validation(frame, target, asides, valid)


def join_validation(
    frame: pd.DataFrame, target: Target, asides: Asides, valid: KeptApart | None
) -> tuple[pd.DataFrame, Target, Asides]:
    """Put validation rows behind the training rows.

    Raises
    ------
    AsideError
        Validation rows without targets, or together with groups.
    """
    if valid is None:
        return frame, target, asides
    if valid.y is None or len(valid.y) == 0:
        raise AsideError("X_valid has no rows with a known target; give y_valid for its rows")
    if asides.groups is not None:
        raise AsideError("groups and X_valid exclude each other; give one of them")
    n_valid = len(valid.y)
    rows = pd.concat([frame, valid.frame[list(frame.columns)]], ignore_index=True)
    joined = Target(
        target.problem,
        np.concatenate([target.y, valid.y]).astype(target.y.dtype),
        np.concatenate([target.known, np.ones(n_valid, dtype=bool)]),
        target.classes,
        target.name,
    )
    weight = asides.weight
    if weight is not None:
        weight = np.concatenate([weight, np.ones(n_valid)])
    return rows, joined, Asides(weight, None, n_valid)
