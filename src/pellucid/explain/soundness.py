"""Whether the parts of a predictor that was read fit each other, before it answers anyone."""

from __future__ import annotations

from typing import get_args

import numpy as np

from pellucid.explain.predictor import Predictor
from pellucid.models.problem import Link, Task


def check_sound(predictor: Predictor) -> None:
    """Hold the widths of all parts to each other, and let the model answer its background.

    Raises
    ------
    ValueError
        The first part that does not fit.
    """
    problem, ensemble, background = predictor.problem, predictor.ensemble, predictor.background
    if problem.task not in get_args(Task) or problem.link not in get_args(Link):
        raise ValueError(f"a problem of task {problem.task!r} and link {problem.link!r}")
    width = len(predictor.feature_map.engineered_names)
    if background.dtype != np.float32 or background.ndim != 2 or background.shape[1] != width:
        raise ValueError(
            f"a background of {background.dtype} and shape {background.shape} for {width} columns"
        )
    if predictor.schema.to_dict() != predictor.featurizer.schema.to_dict():
        raise ValueError("the schema is not the one of the featurizer")
    classes = predictor.classes
    if problem.is_classification != (classes is not None):
        raise ValueError(f"classes {classes} for a problem of {problem.task}")
    if classes is not None and classes.shape != (problem.n_classes,):
        raise ValueError(f"{classes.shape} classes, expected {problem.n_classes}")
    sizes = {len(ensemble.weights), len(ensemble.members), len(ensemble.names)}
    if len(sizes) > 1 or ensemble.intercept.shape != (problem.n_outputs,):
        raise ValueError(f"{sizes} members, an intercept of shape {ensemble.intercept.shape}")
    rows = background[:2] if len(background) else np.zeros((1, width), np.float32)
    margins = ensemble.margins(rows)
    if margins.shape != (len(rows), problem.n_outputs) or not np.isfinite(margins).all():
        raise ValueError("the model's margins of its own background are no numbers")
