"""The train command for series: a table of them in, a forecaster out."""

from __future__ import annotations

from pellucid.automl.forecaster import AutoMLForecaster
from pellucid.cli.errors import CommandError
from pellucid.cli.progress import show_progress
from pellucid.cli.training import Request, Trained, check_column, parameters, read_kinds
from pellucid.store.location import locate
from pellucid.tabular.read import read_table


def run_forecast(request: Request) -> Trained:
    """Read, check, train.

    Raises
    ------
    PellucidError
        For files, columns or options that cannot work; checked before a run is begun.
    """
    if request.horizon is None or request.time_column is None:
        raise CommandError("--horizon needs --time-column, the column of dates or times")
    for option, given in (
        ("--test-share", request.test_share),
        ("--weight", request.weight),
        ("--group", request.group),
        ("--validation", request.validation),
    ):
        if given is not None:
            raise CommandError(
                f"{option} does not go with --horizon: forecasts are judged by rolling origins, "
                f"and tested on later rows with --test"
            )
    locate(request.store)  # a store that cannot be is told before the work
    train = read_table(request.data)
    test = None if request.test is None else read_table(request.test)
    check_column(request.target, train, what="--target", path=request.data)
    for option, columns in (
        ("--time-column", (request.time_column,)),
        ("--series", request.series),
        ("--known", request.known),
        ("--drop", request.drop),
    ):
        for column in columns:
            check_column(column, train, what=option, path=request.data)
    if test is not None and request.test is not None:
        check_column(request.target, test, what="--target", path=request.test)
    with show_progress() as progress:
        model = AutoMLForecaster(
            time_column=request.time_column,
            series_columns=request.series,
            horizon=request.horizon,
            frequency=request.frequency,
            known_in_advance=request.known,
            progress=progress,
            **parameters(request, read_kinds(request.kinds)),
        ).fit(
            train.drop(columns=request.target),
            train[request.target],
            X_test=None if test is None else test.drop(columns=request.target),
            y_test=None if test is None else test[request.target],
        )
    return Trained(model.run_, model.training_, model.explanation_)
