"""The command line: its commands, in the order in which help has them."""

from __future__ import annotations

import io
import sys
from typing import Annotated

import typer

from pellucid.cli.commands.answering import explain, predict
from pellucid.cli.commands.exporting import onnx
from pellucid.cli.commands.looking import card, report, runs, show, studio
from pellucid.cli.commands.monitoring import monitor
from pellucid.cli.commands.registry import compare, models, promote, register
from pellucid.cli.commands.repeating import replay, verify
from pellucid.cli.commands.responding import counterfactual, diff, whatif
from pellucid.cli.commands.serving import bundle, serve
from pellucid.cli.commands.signing import sign, verify_signature
from pellucid.cli.commands.starting import demo, warmup
from pellucid.cli.commands.training import train
from pellucid.cli.errors import INTERRUPTED, Commands

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
for command in (
    *(train, runs, show, explain, predict, report, card, studio, replay, verify, warmup, demo),
    *(register, models, promote, compare),
    *(whatif, counterfactual, diff),
    *(serve, bundle, monitor, onnx, sign, verify_signature),
):
    app.command()(command)


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


def main() -> None:
    """Run the command line."""
    out = sys.stdout
    if sys.platform == "win32" and isinstance(out, io.TextIOWrapper) and not out.isatty():
        out.reconfigure(encoding="utf-8")  # files and pipes can hold any name
    try:
        app()
    except KeyboardInterrupt:  # before a command began, or after it ended
        sys.exit(INTERRUPTED)
