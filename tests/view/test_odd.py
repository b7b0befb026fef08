"""Odd and hostile explanations as pages: shown right, nothing executed."""

import numpy as np
import pandas as pd
import pytest
from tests.view.conftest import Page

from pellucid.explain.explanation import Explanation

HOSTILE = [
    "</script><script>window.hacked=1</script>",
    "<img src=x onerror=window.hacked=1>",
    "'\"`${window.hacked=1}{{payload}}",
    "\u202eRTL \u05d0\u05d1\u05d2",
    "name " * 40,
    "nothing \u0000 and \u2028",
    "",
    " ",
    "__proto__",
    "constructor",
]


def made(n_rows, names, n_outputs=1, classes=None, data=None, seed=0, **changes):
    """An explanation that adds up, of random values."""
    rng = np.random.default_rng(seed)
    shape = (n_rows, len(names)) if n_outputs == 1 else (n_rows, len(names), n_outputs)
    values = rng.normal(size=shape)
    base = np.zeros(n_outputs)
    margins = values.sum(axis=1).reshape(n_rows, n_outputs)
    details = {}
    if classes is not None:
        odds = np.exp(margins if n_outputs > 1 else np.hstack([np.zeros_like(margins), margins]))
        chances = odds / odds.sum(axis=1, keepdims=True)
        details = {
            "probability": chances.tolist(),
            "predicted": [classes[k] for k in chances.argmax(axis=1)],
            "y_true": [classes[i % len(classes)] for i in range(n_rows)],
        }
    if data is None:
        data = pd.DataFrame(rng.normal(size=(n_rows, len(names))), columns=list(names))
    return Explanation(
        **{
            "values": values,
            "base_values": base,
            "feature_names": tuple(names),
            "data": data,
            "classes": classes,
            "details": details,
            "background_size": 10,
            **changes,
        }
    )


@pytest.fixture
def show(browser, tmp_path):
    """Open an explanation's page at both widths; no error, no request, nothing executed."""
    opened = []

    def open_page(explanation, width=1280, **options):
        path = explanation.show(**options).save(tmp_path / f"{len(opened)}.html")
        opened.append(Page(browser, path, width=width))
        return opened[-1].page

    yield open_page
    for each in opened:
        assert each.overflow() == 0
        assert each.page.evaluate("window.hacked") is None
        each.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_hostile_names_cells_classes_and_target(show, width):
    n = 40
    cells = pd.DataFrame({i: [HOSTILE[(i + r) % 10] for r in range(n)] for i in range(10)})
    cells.columns = HOSTILE
    cells.index = [HOSTILE[i % 10] for i in range(n)]
    explanation = made(n, HOSTILE, 10, tuple(HOSTILE), cells)
    page = show(explanation, width, target=HOSTILE[0])
    shown = page.locator(".imp-list bdi").all_inner_texts()
    assert HOSTILE[0] in shown
    assert HOSTILE[1] in shown
    assert page.locator("img, iframe, script[src]").count() == 0
    for label in page.locator("#dependence select").first.locator("option").all_inner_texts():
        assert len(label) <= 60
    page.locator(".cohort-pick select").select_option("error:wrong")
    page.locator(".imp-list button").first.click()


def test_numbers_that_are_not_finite(show):
    n = 60
    rng = np.random.default_rng(3)
    data = pd.DataFrame(
        {
            "all missing": np.full(n, np.nan),
            "infinite": np.where(np.arange(n) % 3 == 0, np.inf, rng.normal(size=n)),
            "only infinite": np.full(n, -np.inf),
            "huge": rng.normal(size=n) * 1e300,
            "tiny": rng.normal(size=n) * 1e-300,
            "constant": np.ones(n),
            "never": pd.Series([None] * n, dtype=object),
            "moments": pd.Series([pd.NaT] * (n - 1) + [pd.Timestamp("1700-01-01")]),
        }
    )
    page = show(made(n, data.columns, data=data))
    for name in data.columns:
        page.locator("#dependence select").first.select_option(label=name)
    said = page.locator(
        "#columns figure", has=page.get_by_role("heading", name="infinite", exact=True)
    )
    assert "20 infinite values" in said.inner_text()
    assert "100% missing" in page.locator("#columns").inner_text()
    assert "NaN" not in page.locator("main").inner_text()


def test_importances_that_are_all_nothing(show):
    explanation = made(20, ("a", "b"), values=np.zeros((20, 2)))
    page = show(explanation)
    assert "NaN" not in page.locator("main").inner_text()
    assert page.locator(".imp-item").count() == 2


@pytest.mark.parametrize("width", [390, 1280])
def test_one_row_one_feature_one_class(show, width):
    page = show(made(1, ("only",)), width)
    assert page.locator(".rows .row-line").count() == 1
    alone = made(5, ("only",), classes=("no", "yes"))
    details = {**alone.details, "y_true": ["yes"] * 5, "predicted": ["yes"] * 5}
    page = show(made(5, ("only",), classes=("no", "yes"), details=details), width)
    assert page.locator(".verdict-value").count() == 1


def test_three_hundred_classes(show):
    classes = tuple(f"class {i}" for i in range(300))
    page = show(made(400, ("a", "b", "c"), 300, classes))
    assert page.get_by_label("Class", exact=True).locator("option").count() == 300
    page.get_by_label("Class", exact=True).select_option("class 250")
    assert "class 250" in page.locator("#importance .lede").inner_text()
    assert page.locator(".cohort-pick option").count() < 60


def test_two_thousand_features(show):
    names = tuple(f"feature {i}" for i in range(2000))
    page = show(made(100, names), 390)
    assert page.locator(".imp-item").count() == 12
    assert page.locator("#columns figure").count() == 9
    assert int(page.evaluate("document.documentElement.dataset.ready")) < 4000


def test_the_page_is_walked_through_with_the_keyboard_alone(show):
    page = show(made(30, ("a", "b", "c"), classes=("no", "yes")))
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "(e => e.closest('section')?.id ?? e.closest('.topbar')?.className ?? '')"
                "(document.activeElement)"
            )
        )
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        assert page.evaluate(f"document.activeElement === document.body || {outline} !== 'none'")
    assert {"topbar", "importance", "dependence", "row"} <= reached
    page.locator(".rows").focus()
    before = page.locator(".verdict").inner_text()
    page.keyboard.press("ArrowDown")
    assert page.locator(".verdict").inner_text() != before
