"""The command that watches a model: monitor."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pellucid.cli.arguments import AsJson, ServedModel, StoreUri, TrustedKeys

if TYPE_CHECKING:
    from pellucid.serve.watch.report import Report


def monitor(
    model: ServedModel,
    log: Annotated[Path, typer.Option(metavar="DIR", help="What pellucid serve --log wrote.")],
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Such as 24h, 7d or 2026-03-01.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME")] = None,
    reference: Annotated[
        Path | None,
        typer.Option(metavar="DATA", help="Rows to compare with. [default: the model's 100]"),
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(metavar="DATA", help="What came true, by row id.")
    ] = None,
    label: Annotated[str, typer.Option(metavar="COL", help="Its column of the truth.")] = "label",
    key: Annotated[str, typer.Option(metavar="COL", help="Its column of row ids.")] = "row_id",
    level: Annotated[float, typer.Option(help="Chance below which drift is told.")] = 0.01,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page.")] = None,
    metrics: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write Prometheus metrics.")
    ] = None,
    every: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Again and again, until Ctrl-C.")
    ] = None,
    fail: Annotated[
        bool, typer.Option("--fail-on-drift", help="Exit with 1 where something drifts.")
    ] = False,
    name: Annotated[
        str | None, typer.Option(help="What the service called the model. [default: its name]")
    ] = None,
    store: StoreUri = None,
    trust: TrustedKeys = None,
    as_json: AsJson = False,
) -> None:
    """Compare what a service was asked with training.

    Drift of each raw feature's cells, of predictions and of importances.
    """
    from pellucid.files import write_file
    from pellucid.serve.holder import source_of
    from pellucid.serve.watch.monitor import monitor as watch
    from pellucid.serve.watch.window import moment
    from pellucid.tabular.read import read_table

    source = source_of(model, store=store, name=name, trust=trust)
    before = None if reference is None else read_table(reference)
    while True:
        now = datetime.now(UTC)
        report = watch(
            source.load(),
            log,
            since=None if since is None else moment(since, now=now),
            until=None if until is None else moment(until, now=now),
            reference=before,
            labels=None if labels is None else read_table(labels),
            label=label,
            key=key,
            level=level,
        )
        if html is not None:
            write_file(html, report.to_html().encode())
        if metrics is not None:
            write_file(metrics, report.to_metrics().encode())
        typer.echo(json.dumps(report.to_dict()) if as_json else _text(report))
        if every is None:
            break
        time.sleep(every)
    if fail and report.alarms:
        raise typer.Exit(1)


def _text(report: Report) -> str:
    from pellucid.cli.text import table

    found = [*report.lines, "", table(report.rows, right=[1, 2, 4, 5, 6, 7, 8], indent=0)]
    if report.alarms:
        found += ["", *(f"! {alarm}" for alarm in report.alarms)]
    return "\n".join(found)
