"""The lineage of pipelines as scikit-learn's and skrub's own examples build them.

The oracle is the pipeline itself: an output that moves when an input moves is made of it, and rows
mixed of two come out as columns swapped.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import HistGradientBoostingClassifier, RandomTreesEmbedding
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.feature_selection import (
    RFE,
    SelectFromModel,
    SelectKBest,
    SelectPercentile,
    VarianceThreshold,
    chi2,
)
from sklearn.impute import IterativeImputer, KNNImputer, MissingIndicator, SimpleImputer
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline, make_union
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)

import pellucid
from pellucid.explain.cut import find_cut
from pellucid.explain.players import seat_in
from pellucid.explain.probing import probe
from pellucid.explain.setting import make_setting

N = 240
NUMBERS = ["age", "fare", "hour"]


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    words = ["good", "bad", "fast", "slow", "red", "blue"]
    frame = pd.DataFrame(
        {
            "age": rng.normal(40, 10, N).round(),
            "fare": rng.exponential(30, N),
            "hour": rng.integers(0, 24, N),
            "sex": rng.choice(["female", "male"], N),
            "port": rng.choice(["S", "C", "Q", "X"], N, p=[0.6, 0.2, 0.15, 0.05]),
            "name": [" ".join(rng.choice(words, 3)) for _ in range(N)],
            "note": [" ".join(rng.choice(words, 4)) for _ in range(N)],
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 9000, N), "h"),
        }
    )
    frame.loc[::9, "age"] = np.nan
    y = np.where(frame["fare"] * (frame["sex"] == "male") > 15, "yes", "no")
    y[::13] = "no"
    return frame, y


def scaled():
    return make_pipeline(SimpleImputer(strategy="median"), StandardScaler())


def log_fare(frame):
    return np.log1p(frame)


def ratios(frame):
    return np.column_stack([frame["age"].fillna(0) / (1 + frame["fare"]), frame["hour"]])


def sine(X):
    return np.sin(X / 24 * 2 * np.pi)


def in_batch(X):
    return X - np.asarray(X).mean(axis=0)


# name -> (steps, columns of the table, whether raw columns come apart at full depth)
PIPELINES = {
    "mixed types": (
        lambda: make_column_transformer(
            (scaled(), ["age", "fare"]),
            (
                make_pipeline(
                    OneHotEncoder(handle_unknown="ignore"), SelectPercentile(chi2, percentile=50)
                ),
                ["sex", "port"],
            ),
        ),
        ["age", "fare", "sex", "port"],
        True,
    ),
    "by selector": (
        lambda: ColumnTransformer(
            [
                ("numbers", scaled(), make_column_selector(dtype_include="number")),
                ("words", OneHotEncoder(), make_column_selector(dtype_exclude="number")),
            ]
        ),
        ["sex", "age", "port", "hour"],
        True,
    ),
    "one-hot, the rest as it is": (
        lambda: make_column_transformer(
            (OneHotEncoder(sparse_output=False), ["sex", "port"]), remainder="passthrough"
        ),
        ["fare", "sex", "hour", "port"],
        True,
    ),
    "ordinal in pandas, short names": (
        lambda: make_column_transformer(
            (OrdinalEncoder(), ["sex", "port"]),
            remainder="passthrough",
            verbose_feature_names_out=False,
        ).set_output(transform="pandas"),
        ["fare", "sex", "port"],
        True,
    ),
    "rare categories together": (
        lambda: OneHotEncoder(min_frequency=0.1, sparse_output=False), ["port", "sex"], True,
    ),
    "at most two categories": (
        lambda: OneHotEncoder(max_categories=2, handle_unknown="infrequent_if_exist"),
        ["port", "sex"],
        True,
    ),
    "first category dropped": (lambda: OneHotEncoder(drop="first"), ["sex", "port"], True),
    "binary category dropped": (lambda: OneHotEncoder(drop="if_binary"), ["sex", "port"], True),
    "target encoder": (lambda: TargetEncoder(random_state=0), ["sex", "port"], True),
    "missing indicators": (
        lambda: make_union(SimpleImputer(), MissingIndicator()), NUMBERS, True
    ),
    "imputer with indicator": (lambda: SimpleImputer(add_indicator=True), NUMBERS, True),
    "neighbours impute": (lambda: KNNImputer(), NUMBERS, False),
    "columns impute each other": (
        lambda: IterativeImputer(max_iter=3, random_state=0), NUMBERS, False
    ),
    "splines": (lambda: SplineTransformer(n_knots=5), ["fare", "hour"], True),
    "periodic splines beside one-hot": (
        lambda: make_column_transformer(
            (
                SplineTransformer(
                    degree=3, n_knots=7, extrapolation="periodic", include_bias=False
                ),
                ["hour"],
            ),
            (FunctionTransformer(sine), ["hour"]),
            (OneHotEncoder(), ["port"]),
            remainder=MinMaxScaler(),
        ),
        ["fare", "hour", "port"],
        True,
    ),
    "spline interactions": (
        lambda: make_pipeline(
            SplineTransformer(n_knots=3), PolynomialFeatures(2, interaction_only=True)
        ),
        ["fare", "hour"],
        False,
    ),
    "nystroem": (
        lambda: make_pipeline(MinMaxScaler(), Nystroem(n_components=5, random_state=0)),
        ["fare", "hour"],
        False,
    ),
    "bins": (lambda: KBinsDiscretizer(4, quantile_method="linear"), ["fare", "hour"], True),
    "ordinal bins": (
        lambda: KBinsDiscretizer(4, encode="ordinal", quantile_method="linear"),
        ["fare", "hour"],
        True,
    ),
    "polynomials": (lambda: PolynomialFeatures(2), ["fare", "hour"], False),
    "scalers in a row": (
        lambda: make_pipeline(
            QuantileTransformer(n_quantiles=20), PowerTransformer(), RobustScaler()
        ),
        ["fare", "hour"],
        True,
    ),
    "rows of length one": (lambda: Normalizer(), ["fare", "hour"], False),
    "principal components beside the best": (
        lambda: FeatureUnion([("pca", PCA(2)), ("best", SelectKBest(k=1))]),
        ["fare", "hour"],
        False,
    ),
    "scaled, then components": (
        lambda: make_pipeline(scaled(), PCA(2)), NUMBERS, False
    ),
    "discriminants": (
        lambda: make_pipeline(scaled(), LinearDiscriminantAnalysis()), NUMBERS, False
    ),
    "cluster distances": (
        lambda: make_pipeline(scaled(), KMeans(3, n_init=1, random_state=0)), NUMBERS, False
    ),
    "variance and a model select": (
        lambda: make_pipeline(
            scaled(), VarianceThreshold(), SelectFromModel(LogisticRegression(), threshold="mean")
        ),
        NUMBERS,
        True,
    ),
    "recursive elimination": (
        lambda: make_pipeline(scaled(), RFE(LogisticRegression(), n_features_to_select=2)),
        NUMBERS,
        True,
    ),
    "leaves of random trees": (
        lambda: RandomTreesEmbedding(3, max_depth=2, random_state=0), ["fare", "hour"], False
    ),
    "logarithm of one, the rest as it is": (
        lambda: make_column_transformer(
            (FunctionTransformer(log_fare, feature_names_out="one-to-one"), ["fare"]),
            remainder="passthrough",
        ),
        ["hour", "fare"],
        True,
    ),
    "a function of two columns": (
        lambda: FunctionTransformer(ratios), ["age", "fare", "hour"], False
    ),
    "texts of two columns": (
        lambda: ColumnTransformer(
            [
                ("name", TfidfVectorizer(), "name"),
                ("note", make_pipeline(CountVectorizer(), TfidfTransformer()), "note"),
                ("fare", StandardScaler(), ["fare"]),
            ]
        ),
        ["name", "note", "fare"],
        True,
    ),
    "hashed text": (
        lambda: make_column_transformer(
            (HashingVectorizer(n_features=8), "name"), (OneHotEncoder(), ["port"])
        ),
        ["name", "port"],
        True,
    ),
    "latent semantics of one text": (
        lambda: make_column_transformer(
            (make_pipeline(TfidfVectorizer(), TruncatedSVD(2)), "note"), ("passthrough", ["hour"])
        ),
        ["note", "hour"],
        True,
    ),
    "nested, by position, mask and slice": (
        lambda: ColumnTransformer(
            [
                ("inner", ColumnTransformer([("a", StandardScaler(), [1]),
                                             ("b", "drop", [0])]), slice("fare", "hour")),
                ("mask", OneHotEncoder(), [False, False, True, False]),
                ("last", "passthrough", [-1]),
            ]
        ),
        ["fare", "hour", "port", "age"],
        True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PIPELINES)
def test_lineage_is_what_moves(name, table):
    make, columns, apart = PIPELINES[name]
    frame, y = table
    raw = frame[columns]
    steps = make()
    last = HistGradientBoostingClassifier(max_iter=2)
    made = steps.fit(raw, y).transform(raw)
    last.fit(made.toarray() if hasattr(made, "toarray") else made, y)
    pipeline = Pipeline([("make", steps), ("last", last)])
    setting = make_setting(pipeline, raw[:60], background=raw[60:160])
    lineage = setting.lineages[-1]
    assert len(lineage.outputs) == made.shape[1]
    assert len(set(lineage.outputs)) == made.shape[1]

    known = set(zip(*lineage.parents.nonzero()))
    moves = set(probe(steps.transform, raw[:60]))
    assert moves <= known
    # what does not move in these rows has a reason: an empty bin, a rare word, a zero weight
    assert len(moves) >= (0.5 if "impute" in name else 0.6) * len(known)

    cut = find_cut(setting, seat_in(setting, "raw"))
    assert (cut.depth == 1) == apart, cut.reasons
    if apart:
        assert cut.error < 1e-6
        assert not setting.lineages[-1].probed or "function" in name or "logarithm" in name
    else:
        assert cut.reasons


def test_a_step_that_looks_at_the_batch_is_found_out(table):
    frame, y = table
    pipeline = make_pipeline(FunctionTransformer(in_batch), LogisticRegression())
    pipeline.fit(frame[["fare", "hour"]], y)
    setting = make_setting(pipeline, frame[["fare", "hour"]][:60])
    cut = find_cut(setting, seat_in(setting, "raw"))
    assert cut.depth == 0
    assert "made of several" in cut.reasons[0] or "otherwise than" in cut.reasons[0]


def test_a_level_that_no_probed_row_has_does_not_make_a_wrong_claim(table):
    """A function that reads a second column only where the first is rare."""
    frame, y = table
    rare = frame[["fare", "hour"]].copy()
    rare.loc[rare.index[:60], "hour"] = 1

    def sly(X):
        return np.column_stack([np.where(X["hour"] > 20, X["fare"], 0.0), X["fare"]])

    pipeline = make_pipeline(FunctionTransformer(sly), LogisticRegression()).fit(rare, y)
    setting = make_setting(pipeline, rare[60:], background=rare[:64])
    cut = find_cut(setting, seat_in(setting, "raw"))
    assert cut.depth == 0


SKRUB = {
    "table vectorizer": lambda skrub: skrub.TableVectorizer(),
    "text by string encoder": lambda skrub: skrub.TableVectorizer(
        high_cardinality=skrub.StringEncoder(3), cardinality_threshold=5
    ),
    "dates by columns": lambda skrub: skrub.ApplyToCols(skrub.DatetimeEncoder(), cols=["when"]),
}


@pytest.mark.parametrize("name", SKRUB)
def test_lineage_of_skrub(name, table):
    skrub = pytest.importorskip("skrub", reason="skrub is not installed")
    frame, y = table
    steps = SKRUB[name](skrub)
    raw = frame[["age", "when"]] if "dates" in name else frame
    made = steps.fit(raw, y).transform(raw)
    model = HistGradientBoostingClassifier(max_iter=2).fit(made, y)
    setting = make_setting(Pipeline([("make", steps), ("last", model)]), raw[:60])
    known = set(zip(*setting.lineages[-1].parents.nonzero()))
    moves = set(probe(steps.transform, raw[:60]))
    assert moves <= known
    assert len(moves) >= 0.6 * len(known)
    cut = find_cut(setting, seat_in(setting, "raw"))
    assert cut.depth == 1
    assert cut.error < 1e-6


def test_skrubs_own_pipeline_is_exact(table):
    skrub = pytest.importorskip("skrub", reason="skrub is not installed")
    frame, y = table
    pipeline = skrub.tabular_pipeline(LogisticRegression()).fit(frame, y)
    found = pellucid.explain(pipeline, frame[:20], background=frame[20:60])
    assert found.certificate.verdict == "ok"
    assert "closed form" in found.certificate.how
