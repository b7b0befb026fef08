"""Commands of the registry: register, models, promote, compare."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from pellucid.cli.arguments import AsJson, RunName, StoreUri, TrustedKeys

Model = Annotated[str, typer.Argument(metavar="MODEL", help="NAME, NAME@ALIAS or NAME/VERSION.")]


def register(
    run: RunName,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call the model.")],
    alias: Annotated[str | None, typer.Option(help="Such as champion.")] = None,
    iteration: Annotated[int | None, typer.Option(help="A trial's model instead.")] = None,
    store: StoreUri = None,
    trust: TrustedKeys = None,
) -> None:
    """Register a run's model under a name.

    Its next version holds the model and its explainer.
    """
    from pellucid.store.runs import load_run

    loaded = load_run(run, store=store, trust=trust)
    version = loaded.register(name, alias=alias, iteration=iteration)
    typer.echo(f"{version} is run {loaded.id[:8]}" + (f", now {name}@{alias}" if alias else ""))


def models(store: StoreUri = None, as_json: AsJson = False) -> None:
    """List the registered models."""
    from pellucid.cli.text import table
    from pellucid.store.registry import Registry

    found = Registry(store).versions()
    if as_json:
        typer.echo(json.dumps([_facts(each) for each in found]))
        return
    if not found:
        typer.echo("no registered models; pellucid register RUN NAME makes one")
        return
    rows = [["model", "aliases", "created", "run"]]
    rows += [
        [str(each), " ".join(each.aliases), f"{each.created:%Y-%m-%d %H:%M}", each.run_id[:8]]
        for each in found
    ]
    typer.echo(table(rows, indent=0))


def promote(
    model: Model,
    alias: Annotated[str, typer.Option(help="The alias to move.")] = "champion",
    store: StoreUri = None,
) -> None:
    """Move an alias to a version.

    What serves the alias changes over by itself.
    """
    from pellucid.store.registry import Registry

    version = Registry(store).promote(model, alias=alias)
    typer.echo(f"{version.name}@{alias} is now version {version.version}")


def compare(
    first: Model,
    second: Model,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DATA", help="Rows to explain with both.")
    ] = None,
    store: StoreUri = None,
    trust: TrustedKeys = None,
    as_json: AsJson = False,
) -> None:
    """Compare two versions: scores, and where importance went."""
    from pellucid.cli.text import number, table
    from pellucid.store.comparison import compare as compare_versions
    from pellucid.store.registry import Registry
    from pellucid.store.runs import Store
    from pellucid.tabular.read import read_table

    registry = Registry(Store(store, trust=trust))
    rows = None if data is None else read_table(data)
    found = compare_versions(registry.get(first), registry.get(second), rows)
    if as_json:
        facts = {
            "first": found.first,
            "second": found.second,
            "metrics": json.loads(found.metrics.to_json(orient="index")),
            "importances": json.loads(found.importances.to_json(orient="index")),
            "shift": found.shift,
            "same_data": found.same_data,
        }
        typer.echo(json.dumps(facts))
        return
    for title, frame, last in (
        ("score", found.metrics, "change"), ("share of importance", found.importances, "shift"),
    ):  # fmt: skip
        lines = [[title, found.first, found.second, last]]
        lines += [
            [str(name), *map(number, row)] for name, row in zip(frame.index, frame.to_numpy())
        ]
        typer.echo(table(lines, right=(1, 2, 3), indent=0) + "\n")
    typer.echo(f"{100 * found.shift:.1f} % of the importance went to other features")
    if not found.same_data:
        typer.echo("the two were trained on different tables: their scores are of other rows")


def _facts(version: Any) -> dict[str, Any]:
    return {
        "name": version.name,
        "version": version.version,
        "aliases": list(version.aliases),
        "tags": dict(version.tags),
        "created": version.created.isoformat(),
        "run": version.run_id,
    }
