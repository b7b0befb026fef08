"""What the fitted attributes of a transformer say of its lineage, without asking it for anything.

A rule is found by the name of the class, so that nothing is imported for it; subclasses are known
by their bases. A rule gives the pairs (input, output), or None where it does not apply. What has no
rule is probed.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

Pairs = list[tuple[int, int]]
Rule = Callable[[Any, int, int], Pairs | None]

_ONE_TO_ONE = (
    "StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler", "QuantileTransformer",
    "PowerTransformer", "OrdinalEncoder", "Binarizer", "KernelCenterer", "SquashingScaler",
)  # fmt: skip
_MIXING = (
    "Normalizer", "KNNImputer", "IterativeImputer", "PCA", "IncrementalPCA", "KernelPCA",
    "SparsePCA", "MiniBatchSparsePCA", "TruncatedSVD", "FastICA", "FactorAnalysis", "NMF",
    "MiniBatchNMF", "LatentDirichletAllocation", "Nystroem", "RBFSampler", "PolynomialCountSketch",
    "AdditiveChi2Sampler", "KMeans", "MiniBatchKMeans", "BisectingKMeans", "Birch",
    "LinearDiscriminantAnalysis", "NeighborhoodComponentsAnalysis", "GaussianRandomProjection",
    "SparseRandomProjection", "PLSRegression", "RandomTreesEmbedding", "FeatureAgglomeration",
    "StackingClassifier", "StackingRegressor", "Isomap", "TfidfTransformer",
)  # fmt: skip


def read_structure(transformer: Any, n_inputs: int, n_outputs: int) -> Pairs | None:
    """Pairs of input and output, as the fitted transformer's own attributes tell them.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> cells = np.array([["a", "x"], ["b", "y"], ["b", "z"]])
    >>> encoder = OneHotEncoder(drop="if_binary").fit(cells)
    >>> read_structure(encoder, 2, 4)
    [(0, 0), (1, 1), (1, 2), (1, 3)]
    """
    if n_inputs == 1:
        return [(0, output) for output in range(n_outputs)]
    if hasattr(transformer, "get_support"):
        chosen = np.flatnonzero(transformer.get_support())
        return _checked(list(zip(chosen.tolist(), range(len(chosen)))), n_outputs)
    for base in type(transformer).__mro__:
        if base.__module__.partition(".")[0] not in ("sklearn", "skrub", "category_encoders"):
            continue
        if base.__name__ in _ONE_TO_ONE:
            pairs = [(i, i) for i in range(n_inputs)]
            return pairs if n_inputs == n_outputs else None
        if base.__name__ in _MIXING:
            return list(product(range(n_inputs), range(n_outputs)))
        if base.__name__ in _RULES:
            return _checked(_RULES[base.__name__](transformer, n_inputs, n_outputs), n_outputs)
    return None


def _checked(pairs: Pairs | None, n_outputs: int) -> Pairs | None:
    """Pairs that name every output that there is, or None: the rule does not fit."""
    if pairs is None or any(output >= n_outputs for _, output in pairs):
        return None
    return pairs


def _blocks(sizes: list[int], n_outputs: int) -> Pairs | None:
    """Each input's outputs beside each other, inputs in order."""
    if sum(sizes) != n_outputs:
        return None
    owners = np.repeat(np.arange(len(sizes)), sizes)
    return list(zip(owners.tolist(), range(n_outputs)))


def _even(_: Any, n_inputs: int, n_outputs: int) -> Pairs | None:
    if n_outputs % n_inputs:
        return None
    return _blocks([n_outputs // n_inputs] * n_inputs, n_outputs)


def _one_hot(encoder: Any, n_inputs: int, n_outputs: int) -> Pairs | None:
    dropped = encoder.drop_idx_
    rare = getattr(encoder, "infrequent_categories_", None) or [None] * n_inputs
    sizes = []
    for i, categories in enumerate(encoder.categories_):
        size = len(categories)
        if rare[i] is not None:
            size += 1 - len(rare[i])
        if dropped is not None and dropped[i] is not None:
            size -= 1
        sizes.append(size)
    return _blocks(sizes, n_outputs)


def _bins(binner: Any, n_inputs: int, n_outputs: int) -> Pairs | None:
    if binner.encode == "ordinal":
        return _blocks([1] * n_inputs, n_outputs)
    return _blocks([int(n) for n in binner.n_bins_], n_outputs)


def _polynomial(powers: Any, n_inputs: int, n_outputs: int) -> Pairs | None:
    exponents = powers.powers_  # (n_outputs, n_inputs)
    if exponents.shape != (n_outputs, n_inputs):
        return None
    return [(int(i), int(output)) for output, i in zip(*np.nonzero(exponents))]


def _imputer(imputer: Any, n_inputs: int, n_outputs: int) -> Pairs | None:
    kept = np.arange(n_inputs)
    if not getattr(imputer, "keep_empty_features", False):
        known = [value == value for value in imputer.statistics_]  # NaN where a column was empty
        kept = kept[np.array(known, dtype=bool)] if imputer.strategy != "constant" else kept
    owners = kept.tolist()
    if imputer.indicator_ is not None:
        owners += [int(i) for i in imputer.indicator_.features_]
    pairs = list(zip(owners, range(n_outputs)))
    return pairs if len(owners) == n_outputs else None


def _missing(indicator: Any, n_inputs: int, n_outputs: int) -> Pairs | None:
    return list(zip((int(i) for i in indicator.features_), range(n_outputs)))


def _table_vectorizer(vectorizer: Any, n_inputs: int, n_outputs: int) -> Pairs | None:
    names = list(vectorizer.feature_names_in_)
    made = list(vectorizer.all_outputs_)
    source = vectorizer.output_to_input_
    if len(made) != n_outputs:
        return None
    return [(names.index(source[name]), output) for output, name in enumerate(made)]


_RULES: dict[str, Rule] = {
    "OneHotEncoder": _one_hot,
    "KBinsDiscretizer": _bins,
    "SplineTransformer": _even,
    "TargetEncoder": _even,
    "PolynomialFeatures": _polynomial,
    "SimpleImputer": _imputer,
    "MissingIndicator": _missing,
    "TableVectorizer": _table_vectorizer,
}
