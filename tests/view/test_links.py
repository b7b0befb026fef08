"""Links to what is chosen in a page: opened anew they show the same, and one can go back."""

import pytest
from tests.view.conftest import Page

from pellucid.view.report import write_report


@pytest.fixture
def opened(runs, browser, tmp_path):
    """A report, and the way to open it again at an address."""
    path = write_report(runs["multiclass"], tmp_path / "report.html")
    pages = []

    class At:
        def as_uri(self):
            return self.uri

    def open_at(hash_=""):
        at = At()
        at.uri = path.as_uri() + hash_
        pages.append(Page(browser, at))
        return pages[-1].page

    yield open_at
    for page in pages:
        page.close()


def chosen(page):
    """What a reader sees of the choices."""
    return {
        "level": page.get_by_role("button", name="Engineered").get_attribute("aria-pressed"),
        "class": page.get_by_label("Class").locator("option:checked").inner_text(),
        "feature": page.get_by_label("Feature", exact=True).locator("option:checked").inner_text(),
        "color": page.get_by_label("Coloured by").locator("option:checked").inner_text(),
        "row": page.locator(".verdict").inner_text(),
        "features": page.locator(".imp-list .imp-row").count(),
        "search": page.get_by_label("Find a feature").input_value(),
        "rows": page.locator(".rows .row-id").all_inner_texts(),
        "scroll": page.evaluate("document.querySelector('#row').getBoundingClientRect().top < 300"),
    }


def test_a_link_opened_anew_shows_the_same(opened):
    page = opened()
    page.get_by_role("button", name="Engineered").click()
    page.get_by_label("Class").select_option(label="C")
    page.get_by_label("Feature", exact=True).select_option(label="job=maid")
    page.get_by_label("Coloured by").select_option(label="visits")
    page.get_by_label("Find a feature").fill("jo")
    page.get_by_label("Find rows").fill("job=maid")
    page.get_by_label("Sort by").select_option(label="Lowest probability")
    page.locator(".rows .row-line").nth(2).click()
    page.get_by_role("link", name="One row").click()
    page.wait_for_function("() => location.hash.startsWith('#row?')")
    expected = chosen(page)
    again = opened(page.evaluate("location.hash"))
    again.wait_for_function(
        "() => document.querySelector('#row').getBoundingClientRect().top < 300"
    )
    assert chosen(again) == expected
    assert expected["class"] == "C"
    assert expected["scroll"] is True


def test_back_and_forward_go_through_the_choices(opened):
    page = opened()
    label = page.get_by_label("Class")
    first = label.locator("option:checked").inner_text()
    for choice in ("A", "D"):
        label.select_option(label=choice)
        page.wait_for_timeout(1100)  # what follows at once is one step
    page.get_by_role("link", name="Dependence").click()
    for step, expected in ((-1, "D"), (-1, "A"), (-1, first), (1, "A"), (1, "D")):
        page.evaluate("step => history.go(step)", step)
        page.wait_for_function(
            """text => document.querySelector('.topbar select').selectedOptions[0].text === text
               && document.querySelector('#importance .lede').innerText.includes('= ' + text)""",
            arg=expected,
        )


@pytest.mark.parametrize(
    "hash_",
    [
        "#row?class=nobody&feature=none&row=-7&top=0&level=deep",
        "#nowhere?row=@99999&open=x&color=y&shown=-1&over=1&sort=constructor",
        "#importance?class=%E0%A4%A&feature=__proto__&search=%3Cscript%3E",
    ],
    ids=["unknown", "nowhere", "hostile"],
)
def test_an_address_that_names_what_is_not_there_is_no_harm(opened, hash_):
    page = opened(hash_)
    assert page.get_by_label("Class").locator("option:checked").count() == 1
    assert page.locator(".verdict-value").inner_text() != ""
