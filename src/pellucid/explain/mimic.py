"""A surrogate of a model, explained exactly, with its fidelity on rows that it did not learn from.

It learns answers in the space that is asked for: margins or probabilities, never labels. What it
says of a row is true of the surrogate; the certificate says how far that is true of the model.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from pellucid.errors import PellucidWarning
from pellucid.explain.assembly import Found, assemble
from pellucid.explain.certificate import Certificate
from pellucid.explain.closed import encoded
from pellucid.explain.cut import Cut, find_cut
from pellucid.explain.explanation import Explanation, ExplanationError
from pellucid.explain.games import game_at
from pellucid.explain.ground import GIVEN
from pellucid.explain.matrices import as_frame, dense, is_numeric, stack, take
from pellucid.explain.players import Players, seat_in
from pellucid.explain.setting import Setting, make_setting
from pellucid.explain.subject import Core, Space, Subject
from pellucid.explain.surrogates import Kind, Surrogate, fit_surrogate
from pellucid.shapley import ShapleyError
from pellucid.tabular.featurize import Featurizer
from pellucid.tabular.frames import to_frame
from pellucid.tabular.schema import align, infer_schema

_FEWEST = 20  # rows to learn from
_HELD_OUT = 0.25
_PROBED, _PROBE_BACKGROUND = 10, 20  # rows whose top feature is compared, and their background
_PROBE_PLAYERS = 200


class MimicWarning(PellucidWarning):
    """A surrogate follows its model so badly that what it says should not be believed."""


def mimic_found(
    setting: Setting,
    cut: Cut,
    space: Space,
    *,
    surrogate: Kind,
    reasons: Sequence[str],
    live: bool = True,
) -> Found:
    """Values of a surrogate for the rows of a setting.

    Raises
    ------
    ExplanationError
        Fewer than 20 rows to learn from.
    """
    rows, absent, of_column = _columns(setting, cut)
    full = setting.subject.depth
    ask = setting.subject.ask(space, depth=full)
    learned, answers = rows, setting.answers(space)
    if live and setting.ground.background_from == GIVEN:
        learned = stack([rows, absent])
        answers = np.concatenate([answers, ask(setting.background_at(full))])
    if len(answers) < _FEWEST:
        raise ExplanationError(
            f"a surrogate needs at least {_FEWEST} rows to learn from, and there are "
            f"{len(answers)}; give more with background=, such as the training rows"
        )
    order = np.random.default_rng(setting.seed).permutation(len(answers))
    held = np.sort(order[: max(5, int(len(order) * _HELD_OUT))])
    kept = np.setdiff1d(order, held)
    model = fit_surrogate(surrogate, take(learned, kept), answers[kept], seed=setting.seed)
    found = model.predict(take(learned, held))
    fidelity = {"r2": r2(answers[held], found)}
    if setting.subject.is_classifier:
        threshold = 0.0 if space == "margin" else 0.5
        fidelity["labels"] = equal_labels(answers[held], found, threshold)
    if live:
        top = _top_agreement(setting, cut, space, model, rows, absent, of_column, held)
        if top is not None:
            fidelity["top_feature"] = top
    values, base = model.values(rows, absent, of_column, len(cut.names))
    certificate = Certificate(method="mimic", how="", fidelity=fidelity)
    if certificate.weaknesses:
        warnings.warn(
            f"the {surrogate} surrogate of {setting.subject.label} is not to be trusted: "
            f"{'; '.join(certificate.weaknesses)}. Give it more rows with background=, or use "
            f"method='sampled'",
            MimicWarning,
            stacklevel=4,
        )
    return Found(
        values=values,
        base_values=base,
        method="mimic",
        how=f"a {surrogate} surrogate of {len(kept)} rows, explained exactly",
        depth=cut.depth,
        fidelity=fidelity,
        lineage_error=cut.error,
        reasons=tuple(reasons),
    )


def explain_recorded(
    predictions: Any,
    X: Any,
    *,
    background: Any = None,
    players: Players = "raw",
    space: Space = "response",
    classes: Sequence[Any] | None = None,
    y: Any = None,
    surrogate: Kind = "lightgbm",
    random_state: int = 0,
    rows_from: str = "new",
) -> Explanation:
    """Explain a model that is not at hand, by what it answered.

    Parameters
    ----------
    predictions : array (n_rows,) or (n_rows, n_outputs)
        Its answers for X: values, margins, or probabilities; of two classes, of the second, or
        of both.
    X : table, (n_rows, n_columns)
    background : table, optional
        Rows that stand for "absent"; up to a hundred of X by default.
    players, y, surrogate, random_state, rows_from : as in `pellucid.explain`
    space : Space
        What the predictions are.
    classes : sequence, optional
        Class labels, in the order of the columns.

    Raises
    ------
    ExplanationError
        Predictions of another length than X, or fewer than 20.

    Examples
    --------
    >>> x = np.linspace(-1, 1, 200)
    >>> table = pd.DataFrame({"a": x, "b": np.cos(31 * x)})
    >>> found = explain_recorded(3 * x, table, surrogate="linear")
    >>> found.method, round(found.certificate.fidelity["r2"], 3)
    ('mimic', 1.0)
    >>> list(found.feature_importance_dict())[0]
    'a'
    """
    frame = to_frame(X)
    answers = np.asarray(predictions, dtype=np.float64)
    answers = answers[:, None] if answers.ndim == 1 else answers
    if classes is not None and len(classes) == 2 and answers.shape[1] == 2:
        answers = answers[:, 1:]
    if len(answers) != len(frame):
        raise ExplanationError(
            f"there are {len(answers)} predictions for {len(frame)} rows of X; give one a row"
        )
    core = Core("recorded predictions", None, {space: lambda rows: answers})
    subject = Subject(
        "the recorded model", None, core, prepare=to_frame,
        classes=None if classes is None else tuple(classes),
    )  # fmt: skip
    setting = make_setting(subject, frame, background=background, seed=random_state)
    seats = seat_in(setting, players)
    cut = find_cut(setting, seats)
    found = mimic_found(
        setting, cut, space, surrogate=surrogate,
        reasons=("there are recorded predictions only, and no model to ask",), live=False,
    )  # fmt: skip
    return assemble(setting, seats, found, space, y=y, rows_from=rows_from)


def _columns(setting: Setting, cut: Cut) -> tuple[Any, Any, np.ndarray]:
    """Numbers that a surrogate reads: rows, background, and the player of each column."""
    rows, absent = setting.rows_at(cut.depth), setting.background_at(cut.depth)
    if isinstance(rows, pd.Series):
        rows, absent = rows.to_frame(), absent.to_frame()
    if sparse.issparse(rows):
        rows, absent = (sparse.csr_matrix(part, dtype=np.float64) for part in (rows, absent))
        return rows, absent, cut.of_column
    if is_numeric(rows):
        return dense(rows), dense(absent), cut.of_column
    if cut.depth == setting.subject.depth:
        try:
            core = setting.subject.core
            return encoded(core, rows), encoded(core, absent), cut.of_column
        except (TypeError, ValueError):
            pass
    names = [f"x{i}" for i in range(rows.shape[1])]
    own, other = (
        to_frame(as_frame(part, names, pd.RangeIndex(part.shape[0]))) for part in (rows, absent)
    )
    schema = infer_schema(pd.concat([own, other], ignore_index=True))
    featurizer = Featurizer.fit(align(own, schema), schema)
    made = featurizer.feature_map
    place = {name: i for i, name in enumerate(names)}
    owner = np.array([place[made.raw_names[i]] for i in made.raw_of], dtype=np.int64)
    matrices = [featurizer.transform(align(part, schema)) for part in (own, other)]
    return matrices[0], matrices[1], cut.of_column[owner]


def r2(truth: np.ndarray, found: np.ndarray) -> float:
    """Share of the variance of all outputs together that is explained."""
    spread = ((truth - truth.mean(axis=0)) ** 2).sum()
    missed = ((truth - found) ** 2).sum()
    if spread == 0:
        return 1.0 if missed <= 1e-12 * max(1.0, float((truth**2).sum())) else 0.0
    return float(1.0 - missed / spread)


def equal_labels(truth: np.ndarray, found: np.ndarray, threshold: float) -> float:
    """Share of rows with the same class: the largest output, or one output above a threshold."""
    if truth.shape[1] > 1:
        return float((truth.argmax(axis=1) == found.argmax(axis=1)).mean())
    return float(((truth > threshold) == (found > threshold)).mean())


def _top_agreement(
    setting: Setting,
    cut: Cut,
    space: Space,
    model: Surrogate,
    rows: Any,
    absent: Any,
    of_column: np.ndarray,
    held: np.ndarray,
) -> float | None:
    """Share of some rows, held out where they can be, with the same most important player."""
    n_players = len(cut.names)
    if not 1 < n_players <= _PROBE_PLAYERS:
        return None
    own = held[held < setting.n_rows]
    at = own[:_PROBED] if len(own) else np.arange(min(_PROBED, setting.n_rows))
    there = np.arange(min(_PROBE_BACKGROUND, absent.shape[0]))
    try:
        game = game_at(setting, cut, space)
        small = replace(game, rows=take(game.rows, at), background=take(game.background, there))
        played = small.play(precision=None, exact=False, seed=setting.seed)
    except (ShapleyError, ExplanationError):
        return None
    values, _ = model.values(take(rows, at), take(absent, there), of_column, n_players)
    truth = np.abs(played.values.reshape(len(at), played.n_players, -1))
    other = np.abs(values[:, : played.n_players])
    return float((truth.argmax(axis=1) == other.argmax(axis=1)).mean())
