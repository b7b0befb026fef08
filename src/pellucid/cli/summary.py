"""What a run comes to, for people."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pellucid.cli.text import bar, can_draw_blocks, near, number, shorten, table
from pellucid.store.location import DEFAULT_FOLDER
from pellucid.store.run import Run

if TYPE_CHECKING:
    from pellucid.explain.explanation import Explanation
    from pellucid.store.runs import Store

_SHOWN = (  # metrics beside the primary one, where the task has them
    "AUC_weighted",
    "log_loss",
    "accuracy",
    "balanced_accuracy",
    "f1_score_macro",
    "r2_score",
    "root_mean_squared_error",
    "mean_absolute_error",
)
_TOP = 10
_MOST_COLUMNS = 60
_BAR = 24


def summary(
    run: Run | None,
    training: Mapping[str, Any],
    explanation: Explanation | None,
    *,
    data: str | None,
) -> str:
    """What was trained, how good it is, what drives it, and what to do next."""
    parts = [
        _headline(training),
        _scores(training),
        _ensemble(training),
        _whole(training),
        _importance(explanation),
        _warnings(training),
    ]
    if run is not None:
        # what a forecaster learned from is not forecast
        rows = None if "horizon" in training else data
        parts += [f"Run {run.id}  {run.name}  in {_place(run)}", _next(run, rows)]
    return "\n\n".join(part for part in parts if part)


def details(run: Run) -> str:
    """A run, with its leaderboard; of one that is not finished, what is known."""
    ended = f", ended {run.ended:%H:%M:%S}" if run.ended else ""
    when = f"started {run.started:%Y-%m-%d %H:%M:%S}{ended}"
    head = f"Run {run.id}  {run.name}\n{run.status.lower()}, {when}"
    if run.status != "FINISHED":
        known = [["asked for", ""], *([name, shorten(v, 60)] for name, v in run.params.items())]
        return "\n\n".join(filter(None, [head, run.reason, table(known)]))
    training = run.training
    parts = [
        head,
        _headline(training),
        _scores(training),
        _leaderboard(training),
        _columns(training),
        _whole(training),
        _importance(explanation_of(run)),
        _notes(training),
        _warnings(training),
        _next(run, None),
    ]
    return "\n\n".join(part for part in parts if part)


def runs_table(store: Store) -> str:
    """The runs, a line each."""
    runs = store.runs()
    if not runs:
        return f"no runs yet in {store.location}; start with: pellucid train DATA --target COLUMN"
    names = ["id", "name", "status", "started", "task", "target", "metric", "cv", "test", "seconds"]
    rows = [names]
    for run in runs:
        metric = run.params.get("primary_metric", "")
        rows.append(
            [
                run.id[:8],
                shorten(run.name, 24),
                run.status.lower(),
                f"{run.started:%Y-%m-%d %H:%M}",
                run.params.get("task", ""),
                shorten(run.params.get("target", ""), 20),
                metric,
                number(run.metrics.get(metric)),
                number(run.metrics.get(f"test.{metric}")),
                number(run.metrics.get("seconds")),
            ]
        )
    return table(rows, right=[7, 8, 9], indent=0)


def _headline(training: Mapping[str, Any]) -> str:
    classes = training["classes"]
    what = f"{len(classes)} classes" if classes else "values"
    facts = f"{training['task']}, {what}, {training['n_rows']:,} rows"
    if "horizon" in training:
        step = training["frequency"]
        facts = (
            f"forecasts, up to {training['horizon']} steps of "
            f"{step if step[0].isdigit() else f'one {step}'} ahead, "
            f"{training['n_series']} series, {training['n_values']:,} values"
        )
    return (
        f"{training['target']}: {facts}, {training['n_columns']} columns, "
        f"{training['seconds']['total']:.1f} s"
        + (", interrupted" if training.get("interrupted") else "")
    )


def _scores(training: Mapping[str, Any]) -> str:
    cv, test = training["metrics"]["cv"], training["metrics"]["test"]
    primary = training["primary_metric"]
    names = [primary, *(name for name in _SHOWN if name in cv and name != primary)]
    head = ["Scores", "cross-validation"] + (["test"] if test else [])
    rows = [head]
    for name in names:
        rows.append(
            [f"  {name}", number(cv.get(name))] + ([number(test.get(name))] if test else [])
        )
    for baseline, scores in training.get("baselines", {}).items():
        found = [scores[part] or {} for part in (("cv", "test") if test else ("cv",))]
        what = f"  {primary} of: {baseline.lower()}"
        rows.append([what, *(number(each.get(primary)) for each in found)])
    return table(rows, right=[1, 2], indent=0)


def _ensemble(training: Mapping[str, Any]) -> str:
    members = sorted(training["ensemble"], key=lambda member: -member["weight"])
    rows = [["Ensemble", "family", "weight"]]
    rows += [[f"  {m['name']}", m["family"], number(m["weight"])] for m in members]
    return table(rows, right=[2], indent=0)


def _leaderboard(training: Mapping[str, Any]) -> str:
    primary = training["primary_metric"]
    rows = [["Leaderboard", "family", primary, "weight", "seconds", "status"]]
    for entry in training["leaderboard"]:
        rows.append(
            [
                f"  {entry['name']}",
                entry["family"],
                number(entry["metrics"].get(primary)),
                number(entry["weight"]) if entry["weight"] else "",
                f"{entry['seconds']:.1f}",
                entry["status"],
            ]
        )
    return table(rows, right=[2, 3, 4], indent=0)


def _columns(training: Mapping[str, Any]) -> str:
    """What was found in each column and done with it."""
    rows = [["Columns", "kind", "made of it", ""]]
    rows += [
        [f"  {shorten(c['name'], 28)}", c["kind"], str(c["n_engineered"]), shorten(c["action"], 72)]
        for c in training["columns"][:_MOST_COLUMNS]
    ]
    more = len(training["columns"]) - _MOST_COLUMNS
    lines = [table(rows, right=[2], indent=0)]
    return "\n".join(lines + ([f"  and {more} more"] if more > 0 else []))


def _notes(training: Mapping[str, Any]) -> str:
    """What was decided on the way: the link, the folds, what there was no time for."""
    folds, notes = training["folds"], []
    kinds = {"random": "drawn at random", "groups": "by group", "time": "in order of time"}
    judged = "a validation set" if folds["kind"] == "fixed" else f"{folds['n']} folds"
    notes.append(f"Trials were judged by {judged}, {kinds.get(folds['kind'], 'as given')}.")
    if training["link"] == "log":
        notes.append(
            "The margin is the logarithm of the prediction: importances multiply instead of add."
        )
    skipped = training["passed_over"]
    if skipped:
        notes.append(f"There was no time for {len(skipped)} further configurations.")
    seconds = ", ".join(
        f"{name} {value:.1f} s" for name, value in training["seconds"].items() if name != "total"
    )
    notes.append(f"Time: {seconds}.")
    return "\n".join(["Notes", *(f"  {note}" for note in notes)])


def _whole(training: Mapping[str, Any]) -> str:
    """Of a table on disk: what was searched on, and who learned from all of it."""
    if "whole" not in training:
        return ""
    whole = training["whole"]
    together = f", {whole['shares']} workers together" if whole.get("shares") else ""
    lines = [
        "Table on disk",
        f"  Searched on {whole['n_sample']:,} of {whole['n_rows']:,} rows; members then learned "
        f"from all of them{together}.",
    ]
    for name, why in whole["on_sample"].items():
        lines.append(f"  {name} has learned from the sample alone: {why}.")
    return "\n".join(lines)


def _importance(explanation: Explanation | None) -> str:
    if explanation is None or explanation.n_rows == 0:
        return ""
    top = explanation.feature_importance_dict(top_k=_TOP)
    widest = max(top.values(), default=0.0) or 1.0
    head = (
        f"What drives it  (mean |importance|, {explanation.n_rows:,} {explanation.rows_from} rows)"
    )
    blocks = can_draw_blocks()
    drawn = [
        [shorten(name, 32), number(value), bar(value / widest, _BAR, blocks=blocks)]
        for name, value in top.items()
    ]
    lines = [table(drawn, right=[1])]
    more = explanation.n_features - len(top)
    if more > 0:
        lines.append(f"  and {more} more")
    return "\n".join([head, *lines])


def _warnings(training: Mapping[str, Any]) -> str:
    found = [finding for finding in training["guardrails"] if finding["level"] == "warning"]
    lines = [f"  {f['column'] + ': ' if f['column'] else ''}{f['message']}" for f in found]
    return "\n".join(["Take note", *lines]) if lines else ""


def _next(run: Run, data: str | None) -> str:
    short, rows = run.id[:8], shlex.quote(data or "DATA.csv")
    place = _place(run)
    where = "" if place == DEFAULT_FOLDER else f" --store {shlex.quote(place)}"
    return "\n".join(
        [
            "Next",
            f"  pellucid report {short} -o report.html{where}",
            f"  pellucid explain {short} {rows} -o values.parquet{where}",
            f"  pellucid predict {short} {rows} -o predictions.csv{where}",
        ]
    )


def _place(run: Run) -> str:
    location = run.store.location
    return location.uri if location.folder is None else near(location.folder)


def explanation_of(run: Run) -> Explanation | None:
    """The explanation that a run was trained with, if it was."""
    return run.explanation() if run.training.get("model_explainability", True) else None
