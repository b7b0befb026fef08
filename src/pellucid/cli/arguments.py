"""Arguments that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

RunName = Annotated[
    str, typer.Argument(metavar="RUN", help="A run's id, the start of one, or latest.")
]
ModelOrRun = Annotated[
    str,
    typer.Argument(
        metavar="MODEL_OR_RUN", help="A run, or a model in a file (.txt, .json, .cbm, .joblib)."
    ),
]
TrustedKeys = Annotated[
    Path | None,
    typer.Option("--trust", metavar="FILE", help="Public keys; refuse what none of them signed."),
]
ServedModel = Annotated[
    str, typer.Argument(metavar="MODEL", help="NAME@ALIAS, NAME/VERSION, or a model's folder.")
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
AllowPickle = Annotated[
    bool, typer.Option("--allow-pickle", help="Read model files that hold code.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
