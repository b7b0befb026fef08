"""Scorers of models that Pellucid did not train: predictions and importances from a folder.

Trees and linear models become tables, which hold numbers and names: reading them runs no code and
needs neither the model nor its library. Whatever else there is, pipelines and functions among
them, is asked itself, so it must be given again when its scorer is read.
"""

from pellucid.serve.foreign.loading import load_scorer, scorer_of

__all__ = ["load_scorer", "scorer_of"]
