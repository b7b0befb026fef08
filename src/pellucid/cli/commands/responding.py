"""Commands beyond importances: whatif, counterfactual, diff."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from pellucid.cli.arguments import (
    AllowPickle,
    AsJson,
    ModelOrRun,
    StoreUri,
    Table,
    TrustedKeys,
)

Row = Annotated[int, typer.Option(metavar="N", help="Which row of DATA, the first being 0.")]
Background = Annotated[
    Path | None, typer.Option(metavar="DATA", help="Rows that stand for absent.")
]
Label = Annotated[str | None, typer.Option(metavar="CLASS", help="The class to speak of.")]


def whatif(
    model: ModelOrRun,
    data: Table,
    change: Annotated[
        list[str], typer.Option("--set", metavar="COL=VALUE", help="A new cell. Repeatable.")
    ],
    row: Row = 0,
    background: Background = None,
    label: Label = None,
    allow_pickle: AllowPickle = False,
    store: StoreUri = None,
    trust: TrustedKeys = None,
    as_json: AsJson = False,
) -> None:
    """Change cells of a row; predict and explain it again.

    The background is the model's own, else up to 100 rows of DATA.
    """
    from pellucid.cli.explaining import read_model
    from pellucid.explain.adapters import as_subject
    from pellucid.explain.changing import what_if
    from pellucid.explain.difference import some_rows
    from pellucid.tabular.read import read_table

    frame = read_table(data)
    asked = read_model(model, store=store, trust=trust, allow_pickle=allow_pickle)
    subject = as_subject(asked, frame)
    rows = None if background is None else read_table(background)
    if rows is None and subject.own_background is None:
        rows = some_rows(frame, 0)
    found = what_if(subject, _row(frame, row, data), _cells(change), background=rows)
    moved = found.moved(label)
    if as_json:
        facts = {
            "changes": {name: list(cells) for name, cells in found.changes.items()},
            "predictions": list(found.predictions),
            "probabilities": found.probabilities,
            "moved": moved.reset_index().to_dict("records"),
        }
        typer.echo(_json(facts))
    else:
        typer.echo(f"{found}\n\n{moved.round(4).to_string()}")


def counterfactual(
    model: ModelOrRun,
    data: Table,
    row: Row = 0,
    wanted: Annotated[
        str | None,
        typer.Option(
            metavar="OUTCOME", help="A class, or LOW:HIGH of a value. [default: any other class]"
        ),
    ] = None,
    immutable: Annotated[
        list[str] | None, typer.Option(metavar="COL", help="It stays as it is. Repeatable.")
    ] = None,
    bound: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COL=WHERE",
            help="LOW:HIGH, increase, decrease, or a,b,c. Repeatable.",
        ),
    ] = None,
    max_changes: Annotated[int, typer.Option(help="Most columns to change.")] = 3,
    number: Annotated[int, typer.Option("-n", "--number", help="How many to find.")] = 3,
    allow_pickle: AllowPickle = False,
    store: StoreUri = None,
    trust: TrustedKeys = None,
    as_json: AsJson = False,
) -> None:
    """Find the fewest changes of a row that flip the outcome.

    Cells move to values that DATA has. Exit code 1 when there is none within the bounds.
    """
    from pellucid.cli.explaining import read_model
    from pellucid.explain.alternatives import CounterfactualError
    from pellucid.explain.counterfactual import counterfactuals
    from pellucid.tabular.read import read_table

    frame = read_table(data)
    limits = {name: _limit(where) for name, where in _cells(bound or []).items()}
    try:
        found = counterfactuals(
            read_model(model, store=store, trust=trust, allow_pickle=allow_pickle),
            _row(frame, row, data),
            X=frame,
            wanted=_range(wanted) if wanted is not None and ":" in wanted else wanted,
            immutable=immutable or (),
            bounds=limits,
            max_changes=max_changes,
            n=number,
        )
    except CounterfactualError as error:
        typer.echo(f"pellucid: {error}", err=True)
        raise typer.Exit(1) from None
    if as_json:
        each = [
            {
                "changes": {name: list(cells) for name, cells in one.changes.items()},
                "prediction": one.prediction,
                "response": one.response.tolist(),
                "distance": one.distance,
                "nearest": one.nearest,
            }
            for one in found.found
        ]
        typer.echo(_json({"prediction": found.prediction, "fewest": found.fewest, "found": each}))
    else:
        proof = "no fewer changes do it, of the values tried" if found.fewest else (
            "there may be fewer changes that do it; not all were tried"
        )  # fmt: skip
        typer.echo(f"{found}\n{proof}")


def diff(
    a: Annotated[str, typer.Argument(metavar="A", help="A run, or a model in a file.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Another, or the same with --then.")],
    data: Table,
    then: Annotated[
        Path | None,
        typer.Option(metavar="DATA", help="Rows of a later period, for B. [default: DATA]"),
    ] = None,
    fail_if: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CONDITION",
            help="Such as 'rank_correlation < 0.9 or sign_flips > 0.1'. Repeatable.",
        ),
    ] = None,
    background: Background = None,
    label: Label = None,
    allow_pickle: AllowPickle = False,
    store: StoreUri = None,
    trust: TrustedKeys = None,
    as_json: AsJson = False,
) -> None:
    """Compare two models on the same rows, or two periods.

    Exit code 1 when a --fail-if holds. Conditions are over rank_correlation, top_overlap,
    max_rank_move, top_changed, sign_flips, mean_change, mean_change_sd, base_change,
    predictions_changed, new_features, lost_features and n_rows.
    """
    from pellucid.cli.explaining import read_model
    from pellucid.explain import difference
    from pellucid.explain.conditions import holds
    from pellucid.explain.explainer import explain
    from pellucid.tabular.read import read_table

    for condition in fail_if or []:
        trial = dict.fromkeys(difference.FACTS, 0.0) | {"top_changed": False}
        holds(condition, trial)  # refused before any work
    frame = read_table(data)
    rows = None if background is None else read_table(background)
    first, second = (
        read_model(name, store=store, trust=trust, allow_pickle=allow_pickle) for name in (a, b)
    )
    if then is None:
        found = difference.diff(first, second, frame, background=rows, label=label)
    else:
        later = read_table(then)
        later.index = later.index + len(frame)  # other rows
        rows = difference.some_rows(frame, 0) if rows is None else rows
        found = difference.diff_explanations(
            explain(first, frame, background=rows),
            explain(second, later, background=rows),
            label=label,
        )
    failed = [condition for condition in fail_if or [] if holds(condition, found.facts)]
    if as_json:
        table = found.table.reset_index().to_dict("records")
        typer.echo(_json({"facts": dict(found.facts), "failed": failed, "features": table}))
    else:
        typer.echo(str(found))
    for condition in failed:
        typer.echo(f"fails, since {condition}", err=True)
    raise typer.Exit(1 if failed else 0)


def _row(frame: Any, row: int, data: Path) -> Any:
    from pellucid.cli.errors import CommandError

    if not 0 <= row < len(frame):
        raise CommandError(f"{data} has {len(frame)} rows, 0 to {len(frame) - 1}; no row {row}")
    return frame.iloc[[row]]


def _cells(pairs: list[str]) -> dict[str, str]:
    from pellucid.cli.errors import CommandError

    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise CommandError(f"{pair!r} is no COL=VALUE")
        found[name] = value
    return found


def _limit(where: str) -> Any:
    """What a bound on the command line means."""
    if where in ("increase", "decrease"):
        return where
    return _range(where) if ":" in where else where.split(",")


def _range(text: str) -> tuple[float | None, float | None]:
    from pellucid.cli.errors import CommandError

    low, _, high = text.partition(":")
    try:
        return float(low) if low else None, float(high) if high else None
    except ValueError:
        raise CommandError(f"{text!r} is no range LOW:HIGH of numbers") from None


def _json(facts: Any) -> str:
    from pellucid.store.writer import plain

    return json.dumps(plain(facts))
