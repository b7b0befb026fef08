"""Arguments that several commands take."""

from __future__ import annotations

from typing import Annotated

import typer

StoreUri = Annotated[
    str | None, typer.Option("--store", metavar="URI", help="Folder or MLflow tracking URI.")
]
ServedModel = Annotated[
    str, typer.Argument(metavar="MODEL", help="NAME@ALIAS, NAME/VERSION, or a model's folder.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
