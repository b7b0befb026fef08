"""What each kind of family is given of the engineered columns."""

from __future__ import annotations

from pellucid.search.trials import View
from pellucid.tabular.lineage import FeatureMap

_MANY_LEVELS = 10  # above which the mean target of a level replaces columns of its own


def views_of(features: FeatureMap) -> dict[str, View]:
    """The views of the search by name.

    - indicators: all but codes, for families that read every column as an amount.
    - codes: codes in place of a category's indicators, for families that read categories.
    - statistics: like indicators, but categories of many levels as the mean target of a level.
    """
    codes = [i for i, form in enumerate(features.forms) if form == "code"]
    many = [i for i in codes if features.n_levels[i] > _MANY_LEVELS]
    replaced = {int(features.raw_of[i]) for i in many}
    kept = [
        i
        for i in features.columns_for("indicators").tolist()
        if features.forms[i] != "indicator" or int(features.raw_of[i]) not in replaced
    ]
    return {
        "indicators": View(tuple(features.columns_for("indicators").tolist())),
        "codes": View(tuple(features.columns_for("codes").tolist()), tuple(codes)),
        "statistics": View(tuple(kept), encoded=tuple(many)),
    }


def levels_of(features: FeatureMap) -> tuple[int, ...]:
    """How many levels each category has."""
    return tuple(n for n, form in zip(features.n_levels, features.forms) if form == "code")
