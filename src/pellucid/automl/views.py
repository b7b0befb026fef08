"""What each kind of family is given of the engineered columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pellucid.errors import PellucidError
from pellucid.search.trials import View
from pellucid.tabular.lineage import FeatureMap
from pellucid.tabular.schema import Schema

_MANY_LEVELS = 10  # above which the mean target of a level replaces columns of its own


def views_of(features: FeatureMap, *, monotone: Collection[str] = ()) -> dict[str, View]:
    """The views of the search by name.

    Codes of ``monotone`` columns are in none: they would leave the direction free.

    - indicators: all but codes, for families that read every column as an amount.
    - codes: codes in place of a category's indicators, for families that read categories.
    - statistics: like indicators, but categories of many levels as the mean target of a level.
    """
    directed = {features.raw_names.index(name) for name in monotone if name in features.raw_names}
    codes = [
        i
        for i, form in enumerate(features.forms)
        if form == "code" and int(features.raw_of[i]) not in directed
    ]
    many = [i for i in codes if features.n_levels[i] > _MANY_LEVELS]
    replaced = {int(features.raw_of[i]) for i in many}
    kept = [
        i
        for i in features.columns_for("indicators").tolist()
        if features.forms[i] != "indicator" or int(features.raw_of[i]) not in replaced
    ]
    words = tuple(i for i, form in enumerate(features.forms) if form == "word")
    return {
        "indicators": View(tuple(features.columns_for("indicators").tolist()), words=words),
        "codes": View(
            tuple(
                i
                for i in features.columns_for("codes").tolist()
                if features.forms[i] != "code" or i in codes
            ),
            tuple(codes),
            words=words,
        ),
        "statistics": View(tuple(kept), encoded=tuple(many), words=words),
    }


class MonotoneError(PellucidError, ValueError):
    """A direction was asked of a column that has none."""


def signs_of(monotone: Mapping[str, int], schema: Schema, features: FeatureMap) -> tuple[int, ...]:
    """The direction of each engineered column: 1, -1, or 0 where it is free; empty for none.

    Raises
    ------
    MonotoneError
        A column that is not there or not numeric, or a direction that is neither 1 nor -1.
    """
    for name, sign in monotone.items():
        if name not in schema.kinds:
            raise MonotoneError(
                f"monotone names column {name!r}, which the table does not have; its columns are "
                f"{', '.join(schema.names[:20])}"
            )
        if sign not in (1, -1):
            raise MonotoneError(f"monotone of column {name!r} is {sign!r}; expected 1 or -1")
        if schema.kinds[name] not in ("numeric", "constant"):
            raise MonotoneError(
                f"monotone names column {name!r}, which is {schema.kinds[name]}; only numeric "
                f"columns have a direction"
            )
    if not monotone:
        return ()
    return tuple(
        int(monotone.get(features.raw_names[raw], 0)) if form == "number" else 0
        for raw, form in zip(features.raw_of, features.forms)
    )


def levels_of(features: FeatureMap) -> tuple[int, ...]:
    """How many levels each category has."""
    return tuple(n for n, form in zip(features.n_levels, features.forms) if form == "code")
