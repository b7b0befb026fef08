"""Commands that look at runs: runs, show, report, card, studio."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from pellucid.cli.arguments import AsJson, RunName, StoreUri, TrustedKeys


def runs(store: StoreUri = None, as_json: AsJson = False) -> None:
    """List the runs, newest first."""
    from pellucid.cli.facts import runs_json
    from pellucid.cli.summary import runs_table
    from pellucid.store.runs import Store

    opened = Store(store)
    typer.echo(runs_json(opened) if as_json else runs_table(opened))


def show(
    run: RunName = "latest",
    store: StoreUri = None,
    trust: TrustedKeys = None,
    as_json: AsJson = False,
) -> None:
    """Show a run: scores, leaderboard, drivers."""
    from pellucid.cli.facts import details_json
    from pellucid.cli.summary import details
    from pellucid.store.runs import load_run

    loaded = load_run(run, store=store, trust=trust)
    typer.echo(details_json(loaded) if as_json else details(loaded))


def report(
    run: RunName = "latest",
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="The HTML file to write.")
    ] = Path("report.html"),
    store: StoreUri = None,
    trust: TrustedKeys = None,
    what_if: Annotated[
        bool, typer.Option("--what-if/--no-what-if", help="Put the model in, to edit rows there.")
    ] = True,
) -> None:
    """Write a run's report, one HTML file.

    It opens anywhere, without a network.
    """
    from pellucid.store.runs import load_run
    from pellucid.view.report import write_report

    write_report(load_run(run, store=store, trust=trust), output, what_if=what_if)
    typer.echo(f"{output}: open it in a browser")


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
    trust: TrustedKeys = None,
) -> None:
    """Write a run's model card.

    Data, scores with intervals, drivers, cohorts, limits and provenance; no row of the table.
    """
    from pellucid.store.runs import load_run

    made = load_run(run, store=store, trust=trust).card(
        intended_use=intended_use, not_for=not_for, contact=contact, notes=notes
    )
    if output is None:
        typer.echo(made.markdown, nl=False)
    else:
        typer.echo(f"{made.save(output)}: the model card")


def studio(
    port: Annotated[int, typer.Option(help="Where to listen; 0 for a port that is free.")] = 8777,
    store: StoreUri = None,
    trust: TrustedKeys = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open it.")] = True,
) -> None:
    """Look at runs in the browser.

    Serves this machine alone, at an address that holds a secret. Ctrl-C ends it.
    """
    import webbrowser

    from pellucid.store.runs import Store
    from pellucid.view.studio.server import Studio

    with Studio(Store(store, trust=trust), port=port) as opened:
        typer.echo(f"{opened.url}\nCtrl-C ends the studio")
        if browser:
            webbrowser.open(opened.url)
        with contextlib.suppress(KeyboardInterrupt):
            opened.wait()
