"""Two versions side by side, before one takes the other's place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pellucid.store.versions import ModelVersion

if TYPE_CHECKING:
    from pellucid.explain.predictor import Predictor


@dataclass(frozen=True, eq=False)
class Comparison:
    """What differs between two versions.

    Attributes
    ----------
    first, second : str
    metrics : DataFrame
        Indexed by metric; the scores of the one, of the other, and the difference.
    importances : DataFrame
        Indexed by raw feature, the largest shift first; each feature's share of the mean absolute
        importance in the one and in the other, and the difference. NaN where a version does not
        have the feature.
    same_data : bool
        Whether both were trained on the same table; else their scores are of different rows.
    """

    first: str
    second: str
    metrics: pd.DataFrame
    importances: pd.DataFrame
    same_data: bool

    @property
    def shift(self) -> float:
        """How much importance went to other features: 0 for the same shares, 1 for none shared."""
        return float(self.importances.fillna(0.0)["shift"].abs().sum() / 2)


def compare(first: ModelVersion, second: ModelVersion, rows: Any = None) -> Comparison:
    """Compare two versions by their scores and by what they base their predictions on.

    Parameters
    ----------
    first, second : ModelVersion
    rows : table, (n_rows, n_columns), optional
        Rows to explain with both models; without, each explains its own background.
    """
    one, other = first.model(), second.model()
    scores = pd.DataFrame({"first": first.metrics(), "second": second.metrics()})
    shares = pd.DataFrame({"first": _shares(one, rows), "second": _shares(other, rows)})
    for table, column in ((scores, "change"), (shares, "shift")):
        table[column] = table["second"] - table["first"]
    filled = shares.fillna(0.0)
    order = (filled["second"] - filled["first"]).abs().sort_values(ascending=False, kind="stable")
    params = [each.run().params.get("fingerprint") for each in (first, second)]
    return Comparison(
        first=str(first),
        second=str(second),
        metrics=scores.loc[[name for name in scores.index if name != "seconds"]],
        importances=shares.loc[order.index],
        same_data=params[0] is not None and params[0] == params[1],
    )


def _shares(model: Predictor, rows: Any) -> pd.Series:
    """Each raw feature's share of the mean absolute importance."""
    matrix = model.background if rows is None else model.featurizer.transform(model.frame(rows))
    values, _ = model.importances("raw", matrix, model.ensemble.margins(matrix))
    mean = np.abs(values).mean(axis=0)
    mean = mean if mean.ndim == 1 else mean.mean(axis=1)
    return pd.Series(mean / (mean.sum() or 1.0), index=list(model.names_of("raw")))
