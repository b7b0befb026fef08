"""Whether a stored run still answers what it answered: its files, its rows, its data, its plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from pellucid.errors import PellucidError
from pellucid.explain.explanation import Explanation
from pellucid.explain.forecast import ForecastPredictor
from pellucid.explain.predictor import Predictor
from pellucid.search.versions import versions
from pellucid.store.run import Run
from pellucid.tabular.fingerprint import fingerprints


@dataclass(frozen=True)
class Check:
    """One thing that was held against what the run says.

    equal : None where it could not be, or tells nothing of the answers.
    said : what was found, and where it differs.
    """

    what: str
    equal: bool | None
    said: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def rescore(run: Run) -> list[Check]:
    """Hold a run's files to their digests, and its model to the answers that it gave in training.

    The rows of the stored explanation are predicted and explained again, and every bit compared.
    """
    try:
        facts, model = run.training, run.model()
    except PellucidError as error:
        return [Check("files", False, str(error))]
    checks = [Check("files", True, "every byte is as it was written"), _versions(facts)]
    if not facts.get("model_explainability"):
        return [*checks, Check("answers", None, "the run was trained without explaining rows")]
    if isinstance(model, ForecastPredictor):
        said = "rows of training lie in a forecaster's history; give the table to train it again"
        return [*checks, Check("answers", None, said)]
    try:
        return [*checks, *_answers(run.explanation(), model)]
    except PellucidError as error:
        return [*checks, Check("answers", False, str(error))]


def _versions(facts: Mapping[str, Any]) -> Check:
    now, then = versions(), facts["versions"]
    other = [
        f"{name} {now.get(name, 'absent')}, then {then.get(name, 'absent')}"
        for name in sorted({*now, *then})
        if now.get(name) != then.get(name)
    ]
    return Check("versions", None, "; ".join(other) or "the same packages")


def _answers(stored: Explanation, model: Predictor) -> list[Check]:
    again = model.explain(stored.data)
    checks = [_predictions(stored, again), _compare("importances", stored, again)]
    if stored.engineered is not None and again.engineered is not None:
        checks.append(_compare("engineered importances", stored.engineered, again.engineered))
    return checks


def _predictions(stored: Explanation, again: Explanation) -> Check:
    name = "probability" if "probability" in stored.details else "predicted"
    ours, theirs = (np.asarray(told.details[name]) for told in (again, stored))
    return _bits("predictions", ours, theirs, [str(label) for label in stored.data.index])


def _compare(what: str, stored: Explanation, again: Explanation) -> Check:
    if again.feature_names != stored.feature_names:
        return Check(what, False, "the features are other ones")
    rows = [str(label) for label in stored.data.index]
    base = _bits(what, again.base_values, stored.base_values, ["the base value"])
    values = _bits(what, again.values, stored.values, rows, columns=stored.feature_names)
    return values if base.equal else base


def _bits(
    what: str,
    ours: np.ndarray,
    theirs: np.ndarray,
    rows: list[str],
    columns: tuple[str, ...] = (),
) -> Check:
    """Compare arrays whose first axis is rows and whose second is columns, where there are any."""
    if ours.shape != theirs.shape:
        return Check(what, False, f"of shape {ours.shape}, then {theirs.shape}")
    same = (ours == theirs) | ((ours != ours) & (theirs != theirs))
    if same.all():
        return Check(what, True, f"{ours.size} numbers have the same bits")
    at = tuple(np.argwhere(~same)[0])
    row = rows[at[0]] if len(rows) > 1 else rows[0]
    where = f"row {row}" + (f", feature {columns[at[1]]!r}" if columns else "")
    return Check(
        what,
        False,
        f"{int((~same).sum())} of {ours.size} differ; first at {where}: {ours[at]!s}, "
        f"then {theirs[at]!s}",
    )


def compare_data(run: Run, frame: pd.DataFrame) -> Check:
    """Hold a table to the one that a run was trained on; tells the columns that differ."""
    whole, columns = fingerprints(frame)
    facts = run.training
    if whole == facts["fingerprint"]:
        return Check("data", True, f"every cell of {len(frame)} rows and {len(columns)} columns")
    then = facts.get("provenance", {}).get("columns", {})
    found: list[str] = []
    differ = [name for name in columns if name in then and then[name] != columns[name]]
    absent = [name for name in then if name not in columns]
    more = [name for name in columns if then and name not in then]
    for words, names in (("differs", differ), ("is absent", absent), ("is new", more)):
        found += [f"column {name!r} {words}" for name in names[:10]]
    if not found:
        same = bool(then)
        found = ["the order of columns differs" if same else "its fingerprint is another one"]
    return Check("data", False, "; ".join(found))


def compare_models(ours: Predictor, theirs: Predictor, X: Any) -> Check:
    """Hold a model that was made again to the stored one, by the bits of its margins on rows."""
    if isinstance(ours, ForecastPredictor):  # what is in its history is not forecast
        one, other = (model.ensemble.margins(model.background) for model in (ours, theirs))
    else:
        one, other = ours.margins(X), theirs.margins(X)
    if np.array_equal(one, other):
        return Check("model", True, f"the same model, to the last bit of {len(one)} margins")
    gap = float(np.abs(one - other).max()) if one.shape == other.shape else float("nan")
    return Check("model", False, f"another model; margins differ by up to {gap:.3g}")
