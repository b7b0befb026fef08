"""What a card says, section by section; columns and shares, never a row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.explain.told import told
from pellucid.search.uncertainty import half_interval
from pellucid.store.card.cohorts import cohort_table
from pellucid.store.card.document import Block, Items, Literal, Paragraph, Section, Table

if TYPE_CHECKING:
    from pellucid.explain.explanation import Explanation

_TOP = 12  # features
_MOST_COLUMNS = 60
_REFERENCES = ("Prior", "Linear", "LightGBM")  # trials that each search has


@dataclass(frozen=True)
class Words:
    """What only people know of a model; empty where nobody said.

    Attributes
    ----------
    intended_use, not_for, contact, notes : str
    """

    intended_use: str = ""
    not_for: str = ""
    contact: str = ""
    notes: str = ""


def headline(training: Mapping[str, Any]) -> str:
    """One sentence: what is predicted, and by what."""
    members = len(training["ensemble"])
    what = {
        "binary": "A classifier of two classes",
        "multiclass": f"A classifier of {len(training['classes'] or ())} classes",
        "regression": "A regression",
    }[training["task"]]
    if "horizon" in training:
        what = f"A forecaster, up to {training['horizon']} steps ahead"
    return f"{what}: {'one model' if members == 1 else f'the weighted sum of {members} models'}."


def sections(
    training: Mapping[str, Any],
    explanation: Explanation | None,
    *,
    run: str,
    name: str,
    words: Words,
) -> Iterator[Section]:
    """All sections, in order."""
    yield Section("Use", tuple(_use(words)))
    yield Section("Model", tuple(_model(training)))
    yield Section("Data", tuple(_data(training)))
    yield Section("How good", tuple(_scores(training)))
    if explanation is not None and explanation.n_rows:
        yield Section("What drives it", tuple(_drivers(explanation)))
        cohorts = cohort_table(explanation)
        if cohorts is not None:
            yield Section("Cohorts", tuple(_cohorts(cohorts, explanation)))
    yield Section("Limits", (Items(tuple(_limits(training, explanation))),))
    if explanation is not None and explanation.certificate is not None:
        said = Paragraph("What the explanation that was made in training says of itself:")
        yield Section("Certificate", (said, Literal(str(explanation.certificate))))
    yield Section("Provenance", tuple(_provenance(training, run=run, name=name)))


def _use(words: Words) -> Iterator[Block]:
    silent = "Not stated: it is for people to say, with run.card(intended_use=...)."
    yield Items(
        (
            f"Intended use: {words.intended_use or silent}",
            f"Not for: {words.not_for or 'Not stated.'}",
            f"Contact: {words.contact or 'Not stated.'}",
        )
    )
    if words.notes:
        yield Paragraph(words.notes)


def _model(training: Mapping[str, Any]) -> Iterator[Block]:
    members = sorted(training["ensemble"], key=lambda each: -each["weight"])
    rows = tuple((m["name"], m["family"], f"{m['weight']:.3f}") for m in members)
    yield Table(("member", "family", "weight"), rows, numbers=(2,))
    if training["link"] == "log":
        yield Paragraph("Margins are logarithms of predictions: what adds up there multiplies.")
    tried = sum(entry["family"] != "ensemble" for entry in training["leaderboard"])
    yield Paragraph(
        f"Chosen by {training['primary_metric']} among {tried} trials in "
        f"{training['seconds']['total']:.0f} s, judged by {_judged(training['folds'])}."
    )


def _judged(folds: Mapping[str, Any]) -> str:
    kinds = {"random": "drawn at random", "groups": "by group", "time": "in order of time"}
    if folds["kind"] == "fixed":
        return "a validation set"
    return f"{folds['n']} folds {kinds.get(folds['kind'], 'as given')}"


def _data(training: Mapping[str, Any]) -> Iterator[Block]:
    facts = [f"{training['n_rows']:,} rows to learn from, {training['n_columns']} columns."]
    if training.get("class_counts"):
        total = sum(training["class_counts"])
        shares = (
            f"{label} {count:,} ({count / total:.1%})"
            for label, count in zip(training["classes"], training["class_counts"])
        )
        facts.append(f"Classes of {training['target']}: {', '.join(shares)}.")
    if training.get("n_test"):
        facts.append(f"{training['n_test']:,} rows kept apart, to score it on.")
    if "whole" in training:
        facts.append(
            f"Searched on a sample of {training['whole']['n_sample']:,} of "
            f"{training['whole']['n_rows']:,} rows."
        )
    yield Items(tuple(facts))
    columns = training["columns"]
    rows = tuple(
        (c["name"], c["kind"], f"{c['missing']:,}", c["action"]) for c in columns[:_MOST_COLUMNS]
    )
    yield Table(("column", "kind", "missing", "what was made of it"), rows, numbers=(2,))
    if len(columns) > _MOST_COLUMNS:
        yield Paragraph(f"And {len(columns) - _MOST_COLUMNS} more columns.")


def _scores(training: Mapping[str, Any]) -> Iterator[Block]:
    cv, test = training["metrics"]["cv"], training["metrics"]["test"]
    known = training.get("test_intervals" if test else "cv_intervals", {})
    scores = test or cv
    primary = training["primary_metric"]
    shown = [primary, *(each for each in known if each != primary)]
    head = ["metric", "rows kept apart" if test else "cross-validation", "95 % interval"]
    rows = []
    for name in shown:
        low, high = known.get(name, (None, None))
        interval = "" if low is None else f"{told(low)} to {told(high)}"
        rows.append([name, _number(scores.get(name)), interval])
    if test:
        head.append("cross-validation")
        rows = [[*row, _number(cv.get(row[0]))] for row in rows]
    yield Table(tuple(head), tuple(map(tuple, rows)), numbers=tuple(range(1, len(head))))
    if known:
        yield Paragraph("Intervals are for other rows of the same kind, not for another training.")
    references = [
        (entry["name"], _number(entry["metrics"].get(primary)))
        for entry in training["leaderboard"]
        if entry["name"] in (*_REFERENCES, *training.get("baselines", ()))
    ]
    if references:
        yield Paragraph(f"For comparison, {primary} in cross-validation of single models:")
        yield Table(("model", primary), tuple(references), numbers=(1,))


def _drivers(explanation: Explanation) -> Iterator[Block]:
    sizes = np.abs(explanation.values)
    sizes = sizes if sizes.ndim == 2 else sizes.mean(axis=2)  # (n_rows, n_features)
    mean = sizes.mean(axis=0)
    half = half_interval(sizes)
    order = np.argsort(-mean, kind="stable")[:_TOP]
    total, widest = float(mean.sum()) or 1.0, float(mean.max()) or 1.0
    rows = tuple(
        (
            explanation.feature_names[i],
            f"{mean[i]:.3g}",
            f"{max(mean[i] - half[i], 0):.3g} to {mean[i] + half[i]:.3g}",
            f"{mean[i] / total:.0%}",
        )
        for i in order
    )
    head = ("feature", "importance", "95 % interval", "share")
    shares = tuple(float(mean[i]) / widest for i in order)
    yield Table(head, rows, numbers=(1, 2, 3), shares=shares)
    more = explanation.n_features - len(order)
    kind = "kept apart" if explanation.rows_from == "test" else "that it learned from"
    yield Paragraph(
        f"Importance is the mean absolute Shapley value in {explanation.space} space over "
        f"{explanation.n_rows:,} rows {kind}, against a background of "
        f"{explanation.background_size} training rows"
        + (f"; {more} more features are not shown." if more > 0 else ".")
    )


def _cohorts(table: Table, explanation: Explanation) -> Iterator[Block]:
    yield table
    if explanation.rows_from != "test":
        yield Paragraph(
            "No rows were kept apart, so there are no errors by cohort; give X_test and y_test."
        )
    else:
        yield Paragraph(
            "Cohorts are those of the most important features; whether others matter, such as "
            "groups of people, is for people to say: pellucid.explain.compare_cohorts."
        )


def _limits(training: Mapping[str, Any], explanation: Explanation | None) -> Iterator[str]:
    for found in training["guardrails"]:
        if found["level"] != "warning":  # what is noted of columns stands in their table
            continue
        column = f"{found['column']}: " if found["column"] else ""
        yield f"{column}{found['message']}"
    if training.get("interrupted"):
        yield "The search was interrupted; the model is the best that it had found."
    for name, why in training.get("whole", {}).get("on_sample", {}).items():
        yield f"{name} has learned from the sample alone: {why}."
    if not training["metrics"]["test"]:
        yield (
            "No rows were kept apart: members and their weights were chosen by these very scores, "
            "which flatters them a little."
        )
    if explanation is None:
        yield "The training made no explanation."
    yield (
        "Importances say what the model does with the values that it is given. They do not say "
        "what causes what, nor what would happen if something were changed."
    )
    yield "Rows that differ from those of training are answered too, and may be answered wrongly."


def _budget(training: Mapping[str, Any]) -> str:
    """What ended the search, at the latest."""
    seconds, trials = training["time_budget"], training["max_trials"]
    told = [] if seconds is None else [f"{seconds:g} s for everything"]
    if trials is not None:
        told.append(f"{trials} trial{'s' * (trials != 1)} at most")
    return ", ".join(told)


def _provenance(training: Mapping[str, Any], *, run: str, name: str) -> Iterator[Block]:
    known = training.get("provenance", {})
    versions = ", ".join(f"{key} {value}" for key, value in training["versions"].items())
    facts = [
        f"Run {run} {name}".strip() + "." if run else "",
        f"Table: SHA-256 {training['fingerprint']}.",
        f"Seed {training['seed']}; {_budget(training)}.",
        f"Versions: {versions}.",
        f"Machine: {known['machine']}." if known else "",
        "Plan: the run's plan makes the model again, bit for bit, from the same table.",
    ]
    yield Items(tuple(fact for fact in facts if fact))
    if known:
        yield Literal(known["command"])


def _number(value: float | None) -> str:
    return "" if value is None else told(value)
