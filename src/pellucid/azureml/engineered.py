"""What became of each raw column, by the old names and the old keys.

Old engineered names are ``<raw>_<transformations>`` with the level, word or calendar part behind:
``job_CharGramCountVectorizer_admin.``. Scripts take them apart, so they are kept here, although
Pellucid keeps a missing number missing where the old name says ``MeanImputer``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pellucid.tabular.featurize import unique_name

_OLD_KINDS = {
    "numeric": "Numeric", "boolean": "Categorical", "categorical": "Categorical",
    "datetime": "DateTime", "text": "Text", "identifier": "Hashes", "constant": "Ignore",
}  # fmt: skip
_OLD_PARTS = {
    "year": "Year", "month": "Month", "day": "Day", "yearday": "DayOfYear",
    "weekday": "DayOfWeek", "hour": "Hour", "minute": "Minute", "days": "Days",
}  # fmt: skip
_HIDDEN = ("StringCast", "DateTimeTransformer")  # steps that names leave out
_MARKER = ("ImputationMarker",)
_BINARY = ("ModeCatImputer", "StringCast", "LabelEncoder")
_DATE = ("CatImputer", "StringCast", "DateTimeTransformer")
_BY_FORM = {
    "indicator": "CharGramCountVectorizer", "code": "LabelEncoder", "share": "FrequencyEncoder",
    "word": "WordGramTfIdf",
}  # fmt: skip


@dataclass(frozen=True)
class OldColumn:
    """One engineered column.

    steps : what was done, by the old transformers' names.
    value : the level, word or part that it is of, or None.

    Examples
    --------
    >>> OldColumn("job", ("StringCast", "CharGramCountVectorizer"), "admin.").name
    'job_CharGramCountVectorizer_admin.'
    """

    raw: str
    steps: tuple[str, ...]
    value: str | None = None

    @property
    def name(self) -> str:
        """The old name."""
        shown = [step for step in self.steps if step not in _HIDDEN]
        return "_".join([self.raw, *shown, *([] if self.value is None else [self.value])])

    @property
    def chain(self) -> str:
        """The steps as the summary writes them."""
        return "-".join(self.steps)


def old_columns(predictor: Any) -> list[OldColumn]:
    """The engineered columns in order, those of a forecast aside, which have other names."""
    return [
        OldColumn(name, *_transformation(name, encoder, feature))
        for name, encoders in predictor.featurizer.encoders.items()
        for encoder in encoders
        for feature in encoder.features(name)
    ]


def old_names(predictor: Any) -> list[str]:
    """Names of the engineered columns by the old scheme, all different.

    A forecast's columns keep their names: lags and calendar parts of named columns.
    """
    if hasattr(predictor, "history"):
        return list(predictor.names_of("engineered"))
    taken: set[str] = set()
    return [unique_name(column.name, taken) for column in old_columns(predictor)]


def featurization_summary(predictor: Any) -> list[dict[str, Any]]:
    """What became of each raw column, by the old keys."""
    steps: dict[str, list[OldColumn]] = {name: [] for name in predictor.feature_map.raw_names}
    for column in old_columns(predictor):
        steps[predictor.schema[column.raw].source or column.raw].append(column)
    kinds = {column.name: column.kind for column in predictor.schema.columns}
    facts = {each["name"]: each for each in predictor.featurizer.summary()}
    return [
        {
            "RawFeatureName": name,
            "TypeDetected": _OLD_KINDS.get(kinds.get(name, ""), kinds.get(name, "Numeric")),
            "Dropped": "No" if made else "Yes",
            "EngineeredFeatureCount": len(made),
            "Transformations": list(dict.fromkeys(column.chain for column in made)),
            "TransformationParams": _parameters(facts.get(name)),
        }
        for name, made in steps.items()
    ]


def engineered_json(predictor: Any, names: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """How each engineered column, or some of them, was made, by the old keys."""
    columns = dict(zip(old_names(predictor), old_columns(predictor)))
    kinds = {column.name: column.kind for column in predictor.schema.columns}
    return [_steps_of(columns[name], kinds) for name in (names or columns) if name in columns]


def _steps_of(column: OldColumn, kinds: dict[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for k, step in enumerate(column.steps, start=1):
        made[f"Transformer{k}"] = {
            "Input": [column.raw if k == 1 else f"Transformer{k - 1}"],
            "TransformationFunction": step,
            "Operator": None,
            "FeatureType": _OLD_KINDS.get(kinds[column.raw], kinds[column.raw]),
            "ShouldOutput": k == len(column.steps),
            "TransformationParams": {},
        }
    return {
        "FinalTransformerName": f"Transformer{len(column.steps)}",
        "Transformations": made,
        "Value": column.value,
    }


def _transformation(name: str, encoder: Any, feature: Any) -> tuple[tuple[str, ...], str | None]:
    """Old steps and value of a feature of ours."""
    value = None if feature.name == name else feature.name[len(name) + 1 :]
    if feature.form == "missing":
        return _MARKER, None
    if encoder.type == "boolean" or (encoder.type == "onehot" and encoder.single):
        return _BINARY, None
    if encoder.type == "datetime":
        return _DATE, _OLD_PARTS.get(str(value), value)
    if feature.form in _BY_FORM:
        level = feature.form in ("indicator", "word")
        return ("StringCast", _BY_FORM[feature.form]), value if level else None
    if encoder.type == "text":
        return ("StringCast", "WordCount"), None
    return (f"{(encoder.imputer or 'mean').capitalize()}Imputer",), None


def _parameters(facts: Mapping[str, Any] | None) -> dict[str, Any]:
    """What missing numbers become, where they become something."""
    if facts is None or not facts["imputer"]:
        return {}
    chosen = {"strategy": facts["imputer"], "fill_value": facts["filler"]}
    return {"Imputer": {"Input": [facts["name"]], "Parameters": chosen}}
