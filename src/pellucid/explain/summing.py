"""Engineered importances summed by raw column, as older tools give them, beside raw ones.

The sum of what engineered columns get is not what the raw column gets when it joins as one: where
columns of different raw ones interact, the two differ, by the residual here. An engineered column
of several raw ones has no sum without a guess; it is split evenly, as those tools do.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from pellucid.explain.explanation import Explanation, ExplanationError


def summed(engineered: Explanation, *, data: pd.DataFrame | None = None) -> Explanation:
    """Importances of raw columns as sums of engineered ones.

    Parameters
    ----------
    engineered : Explanation
        Over engineered columns, made by `pellucid.explain`.
    data : DataFrame, (n_rows, n_raw), optional
        The raw rows; left blank without.

    Raises
    ------
    ExplanationError
        An explanation that does not know what its columns are made of.
    """
    if engineered.level != "engineered" and engineered.engineered is not None:
        return summed(engineered.engineered, data=data)
    made_of = engineered.details.get("made_of")
    if made_of is None:
        raise ExplanationError(
            "this explanation does not say what its engineered columns are made of; make it with "
            "pellucid.explain(..., players='engineered')"
        )
    names = tuple(made_of["raw"])
    values = np.zeros((engineered.n_rows, len(names), *engineered.values.shape[2:]))
    for column, parents in enumerate(made_of["parents"]):
        for parent in parents:
            values[:, parent] += engineered.values[:, column] / len(parents)
    certificate = engineered.certificate
    if certificate is not None:
        certificate = replace(
            certificate,
            how=f"sums of engineered values: {certificate.how}",
            players="raw",
            n_players=len(names),
            reasons=("raw_mode='sum' was asked for; raw columns did not play",),
        )
    details = {key: value for key, value in engineered.details.items() if key != "made_of"}
    if data is None:
        data = pd.DataFrame(np.nan, index=engineered.data.index, columns=list(names))
    return replace(
        engineered,
        values=values,
        feature_names=names,
        level="raw",
        data=data,
        details=details,
        certificate=certificate,
        engineered=engineered,
    )


def residual(raw: Explanation) -> pd.DataFrame:
    """Importances of raw columns as players minus the sums of engineered ones.

    Parameters
    ----------
    raw : Explanation
        Over raw columns, with its ``engineered`` twin.

    Returns
    -------
    DataFrame, in the form of `Explanation.to_frame`
        What is due to engineered columns that interact across raw ones. Each row sums to zero.

    Raises
    ------
    ExplanationError
        If there is no exact engineered explanation beside it.
    """
    if raw.level != "raw" or raw.engineered is None:
        raise ExplanationError(
            "the residual needs a raw explanation with its engineered one beside it, which there "
            "is where both are exact"
        )
    other = summed(raw.engineered)
    if other.feature_names != raw.feature_names:
        raise ExplanationError("the residual is of raw columns; explain with players='raw'")
    return raw.to_frame() - other.to_frame()
