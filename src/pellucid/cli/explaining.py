"""`pellucid explain`: a run, or a model in a file, explained row by row into a table."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pellucid.cli.errors import CommandError
from pellucid.cli.rows import check_output, write_table
from pellucid.explain.explainer import Method, explain
from pellucid.explain.subject import Space
from pellucid.tabular.read import read_table
from pellucid.view.export import explanation_table

_PICKLED = (".joblib", ".pkl", ".pickle")


@dataclass(frozen=True)
class ExplainRequest:
    """What the command line asks for.

    ``target`` is a column that is kept as the truth, ``identity`` one that names the rows.
    """

    model: str
    data: Path
    output: Path
    engineered: bool = False
    method: Method = "auto"
    space: Space | None = None
    background: Path | None = None
    target: str | None = None
    identity: str | None = None
    seed: int = 0
    allow_pickle: bool = False
    store: str | None = None
    trust: Path | None = None


def run_explain(request: ExplainRequest) -> tuple[str, dict[str, Any]]:
    """Explain, write the table, and give what to say of it: words, and plain values.

    Raises
    ------
    CommandError
        An output that cannot be written, a file that is no model, or a target that is no column.
    """
    check_output(request.output)
    frame = read_table(request.data)
    model = read_model(
        request.model, store=request.store, trust=request.trust, allow_pickle=request.allow_pickle
    )
    y = None if request.target is None else _column(frame, request.target, request.data)
    if request.identity is not None:
        _column(frame, request.identity, request.data)
        frame = frame.set_index(request.identity, drop=False)  # the model may read it too
    if y is not None:
        frame = frame.drop(columns=y.name)
    explanation = explain(
        model,
        frame,
        background=None if request.background is None else read_table(request.background),
        players="engineered" if request.engineered else "raw",
        space=request.space,
        method=request.method,
        y=y,
        random_state=request.seed,
    )
    write_table(explanation_table(explanation), request.output)
    certificate = explanation.certificate
    assert certificate is not None
    facts = {
        "output": str(request.output),
        "rows": explanation.n_rows,
        "features": explanation.n_features,
        "level": explanation.level,
        "verdict": certificate.verdict,
        "certificate": certificate.to_dict(),
    }
    words = (
        f"{request.output}: {explanation.n_rows} rows explained over "
        f"{explanation.n_features} {explanation.level} features\n{certificate}"
    )
    return words, json.loads(json.dumps(facts, default=str))


def _column(frame: pd.DataFrame, name: str, data: Path) -> pd.Series:
    if name not in frame.columns:
        raise CommandError(
            f"{data} has no column {name!r}; it has {', '.join(map(str, frame.columns[:10]))}"
        )
    return frame[name]


def read_model(
    name: str, *, store: str | None = None, trust: Path | None = None, allow_pickle: bool = False
) -> Any:
    """A model by the name of a file, or of a run.

    Parameters
    ----------
    name : str
        A file of LightGBM (.txt), XGBoost (.json, .ubj) or CatBoost (.cbm); a pickle of any model
        (.joblib, .pkl) or a folder of an MLflow model, both of which run the code that they hold;
        else a run's id.
    store : str, optional
        Where runs are.
    trust : Path, optional
        Public keys, one of which must have signed the run.
    allow_pickle : bool
        Whether code in files may run.

    Raises
    ------
    CommandError
        A file that cannot be read as its suffix says, that holds code when none is allowed, or
        that has no signature when only what is signed is trusted.
    """
    path = Path(name)
    suffix = path.suffix.lower()
    is_mlflow = path.is_dir() and (path / "MLmodel").is_file()
    if not is_mlflow and not path.is_file():
        from pellucid.store.runs import load_run

        return load_run(name, store=store, trust=trust).model()
    if trust is not None:
        raise CommandError(
            f"{path} has no signature; name a run that is signed, or give no --trust"
        )
    if is_mlflow:
        _check_allowed(path, "an MLflow model", allow_pickle)
        import mlflow.pyfunc

        return mlflow.pyfunc.load_model(str(path))
    if suffix in _PICKLED:
        _check_allowed(path, "a pickle", allow_pickle)
        import joblib

        return joblib.load(path)
    if suffix not in _READERS:
        raise CommandError(
            f"{path} is no model that can be read; expected a file that ends in "
            f"{', '.join((*_READERS, *_PICKLED))}, a folder of an MLflow model, or a run"
        )
    try:
        return _READERS[suffix](path)
    except ImportError as error:
        raise CommandError(f"{path} needs the package {error.name}; install it") from error
    except Exception as error:  # each library has errors of its own
        raise CommandError(f"{path} cannot be read as a {suffix} model: {error}") from error


def _check_allowed(path: Path, what: str, allow_pickle: bool) -> None:
    if not allow_pickle:
        raise CommandError(
            f"{path} is {what}, and reading it runs whatever code it holds; if you trust where it "
            f"comes from, add --allow-pickle"
        )


def _lightgbm(path: Path) -> Any:
    import lightgbm

    return lightgbm.Booster(model_file=str(path))


def _xgboost(path: Path) -> Any:
    import xgboost

    return xgboost.Booster(model_file=str(path))


def _catboost(path: Path) -> Any:
    import catboost

    return catboost.CatBoost().load_model(str(path))


_READERS = {".txt": _lightgbm, ".json": _xgboost, ".ubj": _xgboost, ".cbm": _catboost}
