"""From values to an Explanation with its certificate, held against the model's own answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from pellucid.explain.certificate import Certificate, versions_of
from pellucid.explain.explanation import Explanation, ExplanationError
from pellucid.explain.matrices import as_frame
from pellucid.explain.players import Seats
from pellucid.explain.setting import Setting
from pellucid.explain.subject import Space, same


@dataclass(frozen=True, eq=False)
class Found:
    """Values and how they came about.

    values, standard_errors : (n_rows, n_players, n_outputs); base_values : (n_outputs,)
    depth : number of steps after which players came apart.
    """

    values: np.ndarray
    base_values: np.ndarray
    method: str
    how: str
    depth: int = 0
    standard_errors: np.ndarray | None = None
    reached: bool = False
    fidelity: Mapping[str, float] | None = None
    lineage_error: float | None = None
    reasons: tuple[str, ...] = ()


def assemble(
    setting: Setting,
    seats: Seats,
    found: Found,
    space: Space,
    *,
    y: Any = None,
    rows_from: str = "new",
    engineered: Explanation | None = None,
) -> Explanation:
    """Put values, names, rows and certificate together.

    Raises
    ------
    ExplanationError
        If ``y`` is of another length than the rows.
    """
    subject = setting.subject
    certificate, response = _certify(setting, seats, found, space, rows_from)
    details: dict[str, Any] = {"additivity_error": certificate.additivity_error}
    if response is not None:
        details["predicted"] = subject.labels(response)
        if subject.is_classifier and "probability" in subject.core.asks:
            details["probability"] = subject.probabilities(response).tolist()
    if y is not None:
        truth = np.asarray(y)
        if truth.shape[:1] != (setting.n_rows,):
            raise ExplanationError(
                f"y has shape {truth.shape} for {setting.n_rows} rows; give one value a row"
            )
        details["y_true"] = truth.tolist()
    if seats.engineered:
        details["made_of"] = _made_of(setting)
    several = len(found.base_values) > 1
    errors = found.standard_errors
    return Explanation(
        values=found.values if several else found.values[:, :, 0],
        base_values=found.base_values,
        feature_names=seats.names,
        data=_data(setting, seats),
        level="engineered" if seats.engineered else "raw",
        classes=subject.classes if subject.is_classifier else None,
        space=space,
        method=found.method,
        background_size=setting.ground.n_rows,
        rows_from=rows_from,
        engineered=engineered,
        details=details,
        certificate=certificate,
        standard_errors=errors if errors is None or several else errors[:, :, 0],
    )


def _certify(
    setting: Setting, seats: Seats, found: Found, space: Space, rows_from: str
) -> tuple[Certificate, np.ndarray | None]:
    """The certificate, and the model's responses where it has any."""
    subject, ground = setting.subject, setting.ground
    answers, response = setting.answers(space), setting.response
    totals = found.values.sum(axis=1) + found.base_values  # (n_rows, n_outputs)
    response_error = None
    link = same if space != "margin" else subject.core.link
    if found.method != "mimic" and link is not None and subject.whole is not None:
        linked = link(totals)
        if response is not None and linked.shape == response.shape:
            response_error = _largest(linked - response) / max(1.0, _largest(response))
    errors = found.standard_errors
    probed = any(lineage.probed for lineage in setting.lineages[: found.depth + 1])
    certificate = Certificate(
        method=found.method,
        how=found.how,
        space=space,
        players=seats.kind,
        n_players=len(seats.names),
        n_rows=setting.n_rows,
        rows_from=rows_from,
        background=ground.digest,
        background_rows=ground.n_rows,
        background_from=ground.background_from,
        seed=setting.seed,
        additivity_error=_largest(totals - answers),
        scale=max(1.0, _largest(answers)),
        response_error=response_error,
        standard_error=None if errors is None else _largest(errors),
        largest=_largest(found.values),
        reached=found.reached,
        fidelity=found.fidelity,
        lineage="none needed"
        if found.depth == 0 or seats.engineered
        else "probed, where structure does not tell"
        if probed
        else "read from structure",
        lineage_error=found.lineage_error,
        reasons=found.reasons,
        versions=versions_of(subject.core.model),
    )
    return certificate, response


def _largest(values: np.ndarray) -> float:
    return float(np.abs(values).max(initial=0.0))


def raw_table(setting: Setting) -> pd.DataFrame:
    """The rows of a setting as the user knows them."""
    frame = as_frame(setting.rows, setting.names, setting.index)
    return frame if setting.subject.origins is None else frame[list(setting.raw_names)]


def _data(setting: Setting, seats: Seats) -> pd.DataFrame:
    """What each player's columns hold in each row; of several columns, their cells as text."""
    if seats.kind == "raw":
        return raw_table(setting)
    rows = setting.rows_at(setting.subject.depth if seats.engineered else 0)
    names = setting.engineered_names if seats.engineered else setting.names
    frame = as_frame(rows, names, setting.index)
    if seats.kind == "engineered":
        return frame
    if sparse.issparse(rows):
        frame = pd.DataFrame(rows.toarray(), index=setting.index, columns=list(names))
    columns = {}
    for player, name in enumerate(seats.names):
        at = np.flatnonzero(seats.of_column == player).tolist()
        if len(at) == 1:
            columns[name] = frame.iloc[:, at[0]]
        else:
            cells = frame.iloc[:, at].itertuples(index=False, name=None)
            texts = [", ".join(map(str, row)) for row in cells]
            columns[name] = pd.Series(texts, index=setting.index, dtype=object)
    return pd.DataFrame(columns, index=setting.index)


def _made_of(setting: Setting) -> dict[str, Any]:
    """Raw names, and for each engineered column the positions of those that it is made of."""
    parents, raw_of = sparse.csc_array(setting.lineages[-1].parents), setting.raw_of
    at = [
        sorted(set(raw_of[parents.indices[parents.indptr[i] : parents.indptr[i + 1]]].tolist()))
        for i in range(parents.shape[1])
    ]
    return {"raw": list(setting.raw_names), "parents": at}
