"""Watch a model: its logged rows of some time against those of training."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from pellucid.explain.predictor import Predictor
from pellucid.serve.errors import ServeError
from pellucid.serve.holder import Served
from pellucid.serve.watch.drift import measure
from pellucid.serve.watch.performance import performance
from pellucid.serve.watch.report import Report
from pellucid.serve.watch.window import read_window


def monitor(
    served: Served,
    log: str | Path,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    reference: Any = None,
    labels: pd.DataFrame | None = None,
    label: str = "label",
    key: str = "row_id",
    level: float = 0.01,
) -> Report:
    """Compare what a service logged with what its model was trained on.

    Parameters
    ----------
    served : Served
        The model, as ``source_of("bank@champion").load()`` gives it; its rows are compared.
    log : str or Path
        The folder that the service was given with ``--log``.
    since, until : datetime, optional
        With time zones.
    reference : table, optional
        Raw rows to compare with, instead of the 100 training rows that the model keeps.
    labels : DataFrame, optional
        What came true, with the columns ``label`` and ``key``, the row ids that clients sent.
    level : float
        Chance below which a difference is told.

    Raises
    ------
    ServeError
        Nothing to compare, or a forecast's model.
    """
    predictor = served.scorer.predictor
    if type(predictor) is not Predictor:
        raise ServeError("a forecast's model is not watched: its rows belong together")
    window = read_window(
        log, predictor, name=served.name, version=served.version, since=since, until=until
    )
    known = {}
    if labels is not None:
        known = performance(predictor, window, labels, label=label, key=key)
    return Report(
        model=f"{served.name}/{served.version}",
        begin=window.times.iloc[0].to_pydatetime(),
        end=window.times.iloc[-1].to_pydatetime(),
        drift=measure(predictor, window, reference),
        performance=known,
        others=window.others,
        level=level,
    )
