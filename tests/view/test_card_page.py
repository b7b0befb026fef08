"""A model card's page in Chromium: nothing fails, nothing is cut off, axe-core finds nothing."""

import pytest

from pellucid.store.card.document import (
    Document,
    Items,
    Literal,
    Paragraph,
    Section,
    Table,
    to_html,
)

LONG = "a_name_that_is_very_long_and_has_no_place_to_break_" * 3


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_the_page(browser, tmp_path, scheme, width):
    table = Table(("feature", "share"), ((LONG, "61%"), ("b", "39%")), (1,), shares=(1.0, 0.64))
    blocks = (Paragraph("Some words."), Items((LONG,)), table, Literal("pellucid card latest"))
    path = tmp_path / "card.html"
    path.write_text(to_html(Document("Model card: y", "A classifier.", (Section("S", blocks),))))
    page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900})
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.goto(path.as_uri())
    assert problems == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    widths = page.eval_on_selector_all("rect", "all => all.map(e => e.getBBox().width)")
    assert widths == pytest.approx([120.0, 76.8])
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = axe.run(page).response["violations"]
    assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []
    page.close()
