"""The certificate of an explanation: what game was played, how, and how far off it may be."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

Verdict = Literal["ok", "approximate", "do-not-trust"]

ADDITIVE = 1e-5  # of the answers' scale, that an exact explanation may miss the model by
_LINKED = 1e-5  # the same of the responses behind the link
KEPT_BACKGROUND = "training rows that the model keeps"
_LARGE_ERROR = 0.25  # standard error as a share of the largest importance
_LEAST_R2, _LEAST_AGREEMENT, _LEAST_TOP = 0.8, 0.9, 0.5


@dataclass(frozen=True)
class Certificate:
    """What an explanation says of itself.

    Attributes
    ----------
    method : "exact", "sampled" or "mimic"
    how : str
        The algorithm, in words.
    game : str
        What happens to features that are absent.
    space : str
        In what the values add up.
    players : str
        Who plays: "raw", "engineered" or "groups".
    n_players, n_rows : int
    rows_from : str
        Which rows these are: "train", "test" or "new".
    background : str
        A digest of the background rows: two explanations of one digest are of one game.
    background_rows : int
    background_from : str
        Where those rows come from.
    seed : int
    additivity_error : float
        Largest difference between base value plus importances and the model's own answer, in the
        units of the space. Of a mimic: the surrogate's largest error.
    scale : float
        Largest absolute answer, or 1 if that is less; what errors are compared with.
    response_error : float or None
        The same after the link, against what the whole model predicts, as a share of its largest
        prediction or of 1 if that is less; None where the link is not known.
    standard_error : float or None
        Largest standard error of sampled values.
    largest : float
        Largest absolute importance.
    reached : bool
        Whether every sampled value is as precise as was asked; False when nothing was asked.
    fidelity : mapping of str to float, or None
        Of a mimic, on rows that it did not learn from: ``r2``, ``labels`` (share of equal ones)
        and ``top_feature`` (share of rows with the same most important feature).
    lineage : str
        How it is known which raw column is behind which engineered one.
    lineage_error : float or None
        Largest difference between mixed rows made in engineered columns, and the same rows put
        through the model's own steps.
    reasons : tuple of str
        Why nothing better was possible.
    versions : mapping of package to version

    Examples
    --------
    >>> certificate = Certificate(method="exact", how="tables of 3 trees", space="margin",
    ...     n_players=2, n_rows=1, background_rows=5, additivity_error=1e-12)
    >>> certificate.verdict
    'ok'
    """

    method: str
    how: str
    game: str = "interventional: absent features follow the background rows"
    space: str = "margin"
    players: str = "raw"
    n_players: int = 0
    n_rows: int = 0
    rows_from: str = "new"
    background: str = ""
    background_rows: int = 0
    background_from: str = ""
    seed: int = 0
    additivity_error: float = 0.0
    scale: float = 1.0
    response_error: float | None = None
    standard_error: float | None = None
    largest: float = 0.0
    reached: bool = False
    fidelity: Mapping[str, float] | None = None
    lineage: str = "none needed"
    lineage_error: float | None = None
    reasons: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        """How far to trust it.

        "ok": it adds up to the model's own answer, exactly or as precisely as was asked.
        "approximate": it is estimated, or of a surrogate that follows the model well.
        "do-not-trust": it does not add up, its errors are as large as what it says, or the
        surrogate is another model.
        """
        if self.method == "mimic":
            return "approximate" if not self.weaknesses else "do-not-trust"
        if self.weaknesses:
            return "do-not-trust"
        if self.method == "exact" or self.reached:
            return "ok"
        return "approximate"

    @property
    def weaknesses(self) -> tuple[str, ...]:
        """Why not to trust it; empty when there is nothing."""
        found = []
        if self.method != "mimic" and not self.additivity_error <= ADDITIVE * self.scale:
            found.append(f"misses the model's answer by {self.additivity_error:.3g}")
        if self.response_error is not None and not self.response_error <= _LINKED:
            found.append(f"misses the model's own prediction by {self.response_error:.3g}")
        if self.standard_error is not None and (
            self.standard_error > _LARGE_ERROR * self.largest and not self.reached
        ):
            found.append(f"its standard errors reach {self.standard_error:.3g}")
        for name, least in _LEAST.items():
            value = (self.fidelity or {}).get(name)
            if value is not None and not value >= least:
                found.append(f"its {_WORDS[name]} is {value:.2f}, below {least}")
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        facts = asdict(self)
        facts["reasons"] = list(self.reasons)
        facts["versions"] = dict(self.versions)
        facts["fidelity"] = None if self.fidelity is None else dict(self.fidelity)
        return facts

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Certificate:
        """Rebuild from what `to_dict` gave; what a later version added is left out."""
        known = {name: facts[name] for name in cls.__dataclass_fields__ if name in facts}
        return cls(**{**known, "reasons": tuple(known.get("reasons", ()))})

    def __str__(self) -> str:
        lines = [f"{self.verdict}: {self.method}, {self.how}"]
        lines += [f"  but {weakness}" for weakness in self.weaknesses]
        lines.append(
            f"  {self.n_players} {self.players} players, {self.space} space, {self.n_rows} "
            f"{self.rows_from} rows, seed {self.seed}"
        )
        origin = f", {self.background_from}" if self.background_from else ""
        lines.append(
            f"  background of {self.background_rows} rows {self.background[:12]}{origin}".rstrip()
        )
        error = f"  adds up to {self.additivity_error:.2g} of a scale of {self.scale:.3g}"
        if self.response_error is not None:
            error += f", behind the link to {self.response_error:.2g}"
        lines.append(error)
        if self.standard_error is not None:
            lines.append(f"  standard errors up to {self.standard_error:.3g}")
        if self.fidelity is not None:
            shares = ", ".join(f"{_WORDS[k]} {v:.3f}" for k, v in self.fidelity.items())
            lines.append(f"  fidelity on held-out rows: {shares}")
        checked = "" if self.lineage_error is None else f", checked to {self.lineage_error:.2g}"
        lines.append(f"  lineage: {self.lineage}{checked}")
        lines += [f"  not better, since {reason}" for reason in self.reasons]
        return "\n".join(lines)


_LEAST = {"r2": _LEAST_R2, "labels": _LEAST_AGREEMENT, "top_feature": _LEAST_TOP}
_WORDS = {"r2": "R2", "labels": "agreement of labels", "top_feature": "agreement of top features"}


def digest_of(rows: Any) -> str:
    """A digest of rows: the same rows of the same form give the same."""
    state = hashlib.sha256(str(rows.shape).encode())
    if isinstance(rows, (pd.DataFrame, pd.Series)):
        state.update(pd.util.hash_pandas_object(rows.astype(str), index=False).to_numpy().tobytes())
    elif not isinstance(rows, np.ndarray):
        from scipy import sparse  # a service does without it

        matrix = sparse.csr_array(rows)
        for part in (matrix.indptr, matrix.indices, matrix.data):
            state.update(np.ascontiguousarray(part).tobytes())
    elif rows.dtype == object:
        state.update(repr(rows.tolist()).encode())
    else:
        state.update(np.ascontiguousarray(rows).tobytes())
    return state.hexdigest()


def versions_of(model: Any) -> dict[str, str]:
    """Versions of what answered: Pellucid, NumPy, and the model's own packages."""
    homes = {base.__module__.partition(".")[0] for base in type(model).__mro__}
    names = ["pellucid", "numpy", *sorted(homes - {"builtins", "abc", "pellucid", "numpy"})]
    found = {}
    for name in names:
        version = getattr(sys.modules.get(name), "__version__", None)
        if isinstance(version, str):
            found[name] = version
    return found
