"""The command that trains: train."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pellucid.cli.arguments import AsJson, ClusterAddress, StoreUri, TableOrFolder


class Task(StrEnum):
    """What to predict: classes or values."""

    auto = "auto"
    classification = "classification"
    regression = "regression"


def train(
    data: TableOrFolder,
    target: Annotated[str, typer.Option(metavar="COL", help="Column to predict.")],
    time: Annotated[
        float | None,
        typer.Option(help="Seconds for everything. [default: 60; no limit with --trials alone]"),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(metavar="M", help="What to optimise, such as AUC_weighted or r2_score."),
    ] = None,
    task: Annotated[Task, typer.Option(help="auto: told from the target column.")] = Task.auto,
    test: Annotated[
        Path | None,
        typer.Option(metavar="DATA", help="Further rows, to score the model on and to explain."),
    ] = None,
    test_share: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Keep this share of the rows apart instead, e.g. 0.3."),
    ] = None,
    trials: Annotated[int | None, typer.Option(help="End after this many trials.")] = None,
    seed: Annotated[int, typer.Option(help="Same seed and --trials alone: same model.")] = 0,
    name: Annotated[str | None, typer.Option(help="What to call the run.")] = None,
    drop: Annotated[
        list[str] | None,
        typer.Option(metavar="COL", help="A column that the model must not see. Repeatable."),
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(metavar="COL=KIND", help="Set a column's kind. Repeatable."),
    ] = None,
    weight: Annotated[
        str | None, typer.Option(metavar="COL", help="Column that says how much a row counts.")
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(metavar="COL", help="Rows of one value stay on one side of every fold."),
    ] = None,
    time_column: Annotated[
        str | None,
        typer.Option(metavar="COL", help="Judge models by rows after those they learned from."),
    ] = None,
    horizon: Annotated[
        int | None,
        typer.Option(metavar="STEPS", help="Forecast so many steps of the time column ahead."),
    ] = None,
    series: Annotated[
        list[str] | None,
        typer.Option(metavar="COL", help="With --horizon: a column that names series. Repeatable."),
    ] = None,
    known: Annotated[
        list[str] | None,
        typer.Option(metavar="COL", help="With --horizon: known in advance. Repeatable."),
    ] = None,
    frequency: Annotated[
        str | None,
        typer.Option(metavar="F", help="With --horizon: a step, e.g. h, D or MS. [default: told]"),
    ] = None,
    folds: Annotated[
        int | None, typer.Option(help="Folds of cross-validation. [default: by size and time]")
    ] = None,
    validation: Annotated[
        Path | None,
        typer.Option(metavar="DATA", help="Rows to judge trials by, instead of folds."),
    ] = None,
    family: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this model family, e.g. lightgbm. Repeatable."),
    ] = None,
    latency: Annotated[
        float | None,
        typer.Option(metavar="MS", help="Most milliseconds to predict and explain a row."),
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Go on from the trials of a run that was cut off."),
    ] = None,
    sample_rows: Annotated[
        int | None,
        typer.Option(min=2, metavar="N", help="Do not read DATA whole: search on so many rows."),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain/--no-explain", help="Explain up to 1,000 rows.")
    ] = True,
    cluster: ClusterAddress = None,
    store: StoreUri = None,
    as_json: AsJson = False,
) -> None:
    """Train on a table and explain.

    A folder of Parquet files, or a file too large for memory, is searched on a sample of
    200,000 rows; members then learn from all rows, where their family can.

    Ctrl-C ends the search; the best so far is finished, explained and kept.
    """
    from pellucid.cli.cluster import on_cluster
    from pellucid.cli.facts import to_json
    from pellucid.cli.forecasting import run_forecast
    from pellucid.cli.summary import summary
    from pellucid.cli.training import Request, run_training
    from pellucid.cli.whole import is_on_disk, run_whole

    request = Request(
        data=data,
        target=target,
        time_budget=time if time is not None or trials is not None else 60.0,
        metric=metric,
        task=task.value,
        test=test,
        test_share=test_share,
        trials=trials,
        seed=seed,
        name=name,
        drop=tuple(drop or ()),
        kinds=tuple(kind or ()),
        weight=weight,
        group=group,
        time_column=time_column,
        folds=folds,
        validation=validation,
        families=tuple(family) if family else None,
        latency=latency,
        resume=resume,
        horizon=horizon,
        series=tuple(series or ()),
        known=tuple(known or ()),
        frequency=frequency,
        sample_rows=sample_rows,
        explain=explain,
        store=store,
    )
    with on_cluster(cluster):
        if is_on_disk(request):
            trained = run_whole(request)
        else:
            trained = run_training(request) if horizon is None else run_forecast(request)
    if as_json:
        typer.echo(to_json(trained.run, trained.training, trained.explanation))
    else:
        typer.echo(summary(trained.run, trained.training, trained.explanation, data=str(data)))
