"""The command that writes a model for runtimes without Python: onnx."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pellucid.cli.arguments import ServedModel, StoreUri, TrustedKeys


def onnx(
    model: ServedModel,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="To write.")],
    featurizer: Annotated[
        bool, typer.Option("--featurizer/--no-featurizer", help="Take raw columns.")
    ] = True,
    data: Annotated[
        Path | None, typer.Option(metavar="DATA", help="Rows to check it with. [default: made]")
    ] = None,
    store: StoreUri = None,
    trust: TrustedKeys = None,
) -> None:
    """Write a model's predictions as an ONNX graph.

    It is checked before it is written. Importances are not in it. Columns of text and dates are
    taken as engineered columns.
    """
    from pellucid.files import write_file
    from pellucid.serve.holder import source_of
    from pellucid.serve.interchange.export import check_onnx, export_onnx, trial_rows
    from pellucid.tabular.read import read_table

    predictor = source_of(model, store=store, trust=trust).load().scorer.predictor
    exported = export_onnx(predictor, featurizer=featurizer)
    rows = trial_rows(predictor) if data is None else read_table(data)
    gap = check_onnx(exported, predictor, rows)
    write_file(output, exported.model)
    typer.echo(
        f"{output}: {len(exported.model) / 1e6:.1f} MB; on {len(rows)} rows its predictions are "
        f"the model's and margins differ by at most {gap:.1g} of their scale"
    )
    for name, why in exported.left_out.items():
        typer.echo(f"  {name}: {why}; the graph takes {name}.engineered")
