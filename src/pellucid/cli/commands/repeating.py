"""Commands that hold a run to what it was: replay, verify."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from pellucid.cli.arguments import AsJson, RunName, StoreUri, Table, TrustedKeys

TestShare = Annotated[float | None, typer.Option(metavar="SHARE", help="As in training.")]
Column = Annotated[str | None, typer.Option(metavar="COL", help="As in training.")]


def replay(
    run: RunName,
    data: Table,
    test_share: TestShare = None,
    weight: Column = None,
    group: Column = None,
    store: StoreUri = None,
    trust: TrustedKeys = None,
) -> None:
    """Make a run's model again, and compare.

    The plan of the run says how, without a clock. DATA is the table that it was
    trained on. Exit code 1 when any bit of a margin differs.
    """
    from pellucid.cli.replaying import replay_run

    same, message = replay_run(
        run, data, test_share=test_share, weight=weight, group=group, store=store, trust=trust
    )
    typer.echo(message)
    raise typer.Exit(0 if same else 1)


def verify(
    run: RunName,
    data: Annotated[
        Path | None, typer.Argument(metavar="[DATA]", help="The table of training, to train again.")
    ] = None,
    test_share: TestShare = None,
    weight: Column = None,
    group: Column = None,
    as_json: AsJson = False,
    store: StoreUri = None,
    trust: TrustedKeys = None,
) -> None:
    """Hold a run to what it answered, bit for bit.

    Its files to their digests, its model to the predictions and importances
    that it gave; with DATA, the table cell by cell, and a model trained again.
    Exit code 1 when something differs.
    """
    from pellucid.cli.replaying import verify_run

    checks = verify_run(
        run, data, test_share=test_share, weight=weight, group=group, store=store, trust=trust
    )
    if as_json:
        typer.echo(json.dumps([check.to_dict() for check in checks], indent=1))
    else:
        words = {True: "equal", False: "DIFFERS", None: "-"}
        for check in checks:
            typer.echo(f"{words[check.equal]:<8} {check.what}: {check.said}")
    raise typer.Exit(1 if any(check.equal is False for check in checks) else 0)
