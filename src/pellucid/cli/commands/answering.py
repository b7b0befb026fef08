"""Commands that answer for every row of a table: explain, predict."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pellucid.cli.arguments import (
    AllowPickle,
    AsJson,
    ClusterAddress,
    ModelOrRun,
    RunName,
    StoreUri,
    Table,
    TrustedKeys,
)
from pellucid.cli.errors import CommandError

ChunkRows = Annotated[
    int, typer.Option(min=1, metavar="N", help="Into a folder: rows in memory at a time.")
]


class ExplainMethod(StrEnum):
    """How to explain."""

    auto = "auto"
    exact = "exact"
    sampled = "sampled"
    mimic = "mimic"


class ExplainSpace(StrEnum):
    """In what importances add up."""

    margin = "margin"
    probability = "probability"
    response = "response"


def explain(
    model: ModelOrRun,
    data: Table,
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", help="A .parquet or .csv file; or a folder, written in chunks."
        ),
    ],
    engineered: Annotated[
        bool, typer.Option("--engineered", help="Over the features that the model sees.")
    ] = False,
    method: Annotated[
        ExplainMethod, typer.Option(help="auto: the best that the model allows.")
    ] = ExplainMethod.auto,
    space: Annotated[
        ExplainSpace | None,
        typer.Option(help="In what importances add up. [default: margin, where there is one]"),
    ] = None,
    background: Annotated[
        Path | None,
        typer.Option(
            metavar="DATA", help="Rows that stand for absent. [default: the model's, or of DATA]"
        ),
    ] = None,
    target: Annotated[
        str | None, typer.Option(metavar="COL", help="Column of DATA that holds the truth.")
    ] = None,
    identity: Annotated[
        str | None, typer.Option("--id", metavar="COL", help="Column of DATA that names the rows.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Same seed: same values.")] = 0,
    allow_pickle: AllowPickle = False,
    chunk_rows: ChunkRows = 20_000,
    cluster: ClusterAddress = None,
    store: StoreUri = None,
    trust: TrustedKeys = None,
    as_json: AsJson = False,
) -> None:
    """Explain every row of a table.

    One line per row: prediction, base value, and each feature's part in the margin; with three
    or more classes, one line per row and class. The certificate says how far to trust it.

    Where the output is a folder, DATA may be one of Parquet files, memory does not grow with its
    rows, and the same command goes on where it was cut off. This takes a run's own margins.
    """
    from pellucid.cli.cluster import check_folder, on_cluster
    from pellucid.cli.streaming import is_folder, run_explain_stream

    check_folder(cluster, output)
    if is_folder(output):
        further = {
            "--method": method is not ExplainMethod.auto,
            "--space": space not in (None, ExplainSpace.margin),
            "--background": background is not None,
            "--target": target is not None,
        }
        for option, given in further.items():
            if given:
                raise CommandError(f"{option} needs an output that is a .parquet or .csv file")
        with on_cluster(cluster):
            words, facts = run_explain_stream(
                model,
                data,
                output,
                level="engineered" if engineered else "raw",
                identity=identity,
                rows=chunk_rows,
                store=store,
                trust=trust,
            )
        typer.echo(json.dumps(facts) if as_json else words)
        return
    from pellucid.cli.explaining import ExplainRequest, run_explain

    words, facts = run_explain(
        ExplainRequest(
            model=model,
            data=data,
            output=output,
            engineered=engineered,
            method=method.value,
            space=None if space is None else space.value,
            background=background,
            target=target,
            identity=identity,
            seed=seed,
            allow_pickle=allow_pickle,
            store=store,
            trust=trust,
        )
    )
    typer.echo(json.dumps(facts) if as_json else words)


def predict(
    run: RunName,
    data: Table,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="A .csv or .parquet file; or a folder, written in chunks. [default: CSV to "
            "stdout]",
        ),
    ] = None,
    identity: Annotated[
        str | None,
        typer.Option("--id", metavar="COL", help="Into a folder: column that names the rows."),
    ] = None,
    chunk_rows: ChunkRows = 20_000,
    cluster: ClusterAddress = None,
    store: StoreUri = None,
    trust: TrustedKeys = None,
) -> None:
    """Predict every row of a table.

    For classes, the probability of each stands beside the predicted one. Into a folder, memory
    does not grow with the rows, and the same command goes on where it was cut off.
    """
    from pellucid.cli.cluster import check_folder, on_cluster
    from pellucid.cli.streaming import is_folder, run_predict_stream

    check_folder(cluster, output)
    if output is not None and is_folder(output):
        with on_cluster(cluster):
            words = run_predict_stream(
                run,
                data,
                output,
                identity=identity,
                rows=chunk_rows,
                store=store,
                trust=trust,
            )
        typer.echo(words)
        return
    if identity is not None:
        raise CommandError("--id needs an output that is a folder")
    from pellucid.cli.rows import check_output, prediction_table, write_table
    from pellucid.store.runs import load_run
    from pellucid.tabular.read import read_table

    if output is not None:
        check_output(output)
    model = load_run(run, store=store, trust=trust).model()
    table = prediction_table(model, read_table(data))
    if output is None:
        typer.echo(table.to_csv(index=False, lineterminator="\n"), nl=False)
    else:
        write_table(table, output)
        typer.echo(f"{output}: {len(table)} rows predicted")
