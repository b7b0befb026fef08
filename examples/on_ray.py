"""A Ray data set explained where it lies: ``python examples/on_ray.py``; needs ``ray[data]``."""

from __future__ import annotations

import numpy as np
import pandas as pd
import ray
from sklearn.datasets import load_iris

import pellucid
from pellucid.explain.answering import answer
from pellucid.explain.carried import Carried


class Explaining:
    """What `map_batches` keeps in each of its processes: a model, compiled once."""

    def __init__(self, model: Carried) -> None:
        self.predictor = model.model()

    def __call__(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Predictions and raw importances of a batch."""
        found = answer(
            self.predictor, rows, first=0, levels=["raw"], predictions=True, identity=None
        )
        return found.table.to_pandas().drop(columns="row")


def main() -> None:
    """Hold what Ray gives to what the model gives by itself."""
    X, y = load_iris(return_X_y=True, as_frame=True)
    y = np.where(y == 0, "setosa", "other")
    clf = pellucid.AutoMLClassifier(time_budget=None, max_trials=3, store=False).fit(X, y)
    ray.init(num_cpus=2, include_dashboard=False)
    try:
        why = (
            ray.data.from_pandas(X)
            .repartition(4)
            .map_batches(
                Explaining,
                fn_constructor_args=(Carried.of(clf.predictor_),),
                batch_format="pandas",
                concurrency=1,
            )
            .to_pandas()
        )
    finally:
        ray.shutdown()
    print(why.head())
    names = list(clf.predictor_.names_of("raw"))
    here, theirs = clf.explain(X).values, why[names].to_numpy()
    assert np.array_equal(theirs[np.lexsort(theirs.T)], here[np.lexsort(here.T)])  # the same bits


if __name__ == "__main__":
    main()
