"""Two cohorts side by side: their figures are those of scikit-learn, their importances numpy's."""

import numpy as np
import pytest
from sklearn.metrics import log_loss, r2_score, roc_auc_score
from tests.view.conftest import Page

from pellucid.view.report import write_report


@pytest.fixture
def compare(runs, browser, tmp_path):
    pages = []

    def opened(task, first, second):
        path = write_report(runs[task], tmp_path / "report.html")

        class At:
            def as_uri(self):
                return f"{path.as_uri()}#cohorts?one={first}&with={second}"

        pages.append(Page(browser, At()))
        return pages[-1].page

    yield opened
    for page in pages:
        page.close()


def shown(page, caption):
    """A table's cells by the first of each row; without what stands below a number."""
    rows = page.get_by_role("region", name=caption).locator("tbody tr").all()
    return {
        cells[0]: [cell.split("\n")[0].replace("−", "-") for cell in cells[1:]]
        for cells in ([c.inner_text() for c in row.locator("td").all()] for row in rows)
    }


def number(text):
    return float(text.rstrip("%")) / (100 if text.endswith("%") else 1)


def test_two_times_of_a_classifier(runs, compare):
    held = runs["binary"].held
    joined = held.data["joined"].to_numpy()
    middle = np.sort(joined)[len(joined) // 2]
    page = compare("binary", "early:3", "late:3")
    figures = shown(page, "Figures of both cohorts")
    weights = shown(page, "Importance in both cohorts")
    chance = np.array(held.details["probability"])[:, 1]
    truth = np.array(held.details["y_true"]) == "yes"
    for k, part in enumerate([joined < middle, joined >= middle]):
        p, t = chance[part], truth[part]
        assert number(figures["Mean chance of y = yes"][k]) == pytest.approx(p.mean(), abs=6e-4)
        assert number(figures["AUC"][k]) == pytest.approx(roc_auc_score(t, p), abs=6e-4)
        assert number(figures["Log loss"][k]) == pytest.approx(log_loss(t, p), rel=2e-3)
        assert number(figures["Accuracy"][k]) == pytest.approx(((p > 0.5) == t).mean(), abs=6e-4)
        sizes = np.abs(held.values[part]).mean(axis=0)
        for name, size in zip(held.feature_names, sizes):
            assert number(weights[name][k]) == pytest.approx(size, rel=5e-3, abs=1e-4)
    page.get_by_role("button", name="Swap").click()
    assert shown(page, "Figures of both cohorts")["AUC"][:2] == figures["AUC"][1::-1]


def test_a_cohort_of_a_regressor_against_all_other_rows(runs, compare):
    held = runs["regression"].held
    predicted = np.array(held.details["predicted"])
    truth = np.array(held.details["y_true"])
    figures = shown(compare("regression", "error:over", ""), "Figures of both cohorts")
    over = predicted > truth
    for k, part in enumerate([over, ~over]):
        off = (predicted - truth)[part]
        assert number(figures["Mean absolute error"][k]) == pytest.approx(
            np.abs(off).mean(), rel=2e-3
        )
        assert number(figures["R²"][k]) == pytest.approx(
            r2_score(truth[part], predicted[part]), rel=2e-3
        )
