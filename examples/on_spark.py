"""A Spark DataFrame explained where it lies: ``python examples/on_spark.py``; needs PySpark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd
from pyspark.sql import SparkSession
from sklearn.datasets import load_iris

import pellucid
from pellucid.explain.answering import answer
from pellucid.explain.carried import Carried


def explained(model: Carried):
    """What `mapInPandas` asks of each partition: frames in, frames out."""

    def of_partition(frames: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        predictor = model.model()  # compiled once in each Python process of Spark's
        for frame in frames:
            found = answer(
                predictor, frame, first=0, levels=["raw"], predictions=True, identity=None
            )
            yield found.table.to_pandas().drop(columns="row")

    return of_partition


def main() -> None:
    """Hold what Spark gives to what the model gives by itself."""
    X, y = load_iris(return_X_y=True, as_frame=True)
    y = np.where(y == 0, "setosa", "other")
    clf = pellucid.AutoMLClassifier(time_budget=None, max_trials=3, store=False).fit(X, y)
    of_partition = explained(Carried.of(clf.predictor_))
    like = next(of_partition([X[:1]]))
    spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", False).getOrCreate()
    try:
        rows = spark.createDataFrame(X).repartition(4)
        schema = spark.createDataFrame(like).schema
        why = rows.mapInPandas(of_partition, schema).toPandas()
    finally:
        spark.stop()
    print(why.head())
    names = list(clf.predictor_.names_of("raw"))
    here, theirs = clf.explain(X).values, why[names].to_numpy()
    assert np.array_equal(theirs[np.lexsort(theirs.T)], here[np.lexsort(here.T)])  # the same bits


if __name__ == "__main__":
    main()
