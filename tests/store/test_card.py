"""Model cards: what they say is what the run holds, and what columns spell stays text."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pellucid import AutoMLClassifier
from pellucid.store.card import Words, make_card
from pellucid.store.card.card import CardError
from pellucid.store.card.document import (
    Document,
    Items,
    Paragraph,
    Section,
    Table,
    to_html,
    to_markdown,
)
from pellucid.store.runs import Store
from pellucid.store.writer import plain

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


@pytest.fixture(scope="module")
def run(trained: AutoMLClassifier, tmp_path_factory: pytest.TempPathFactory) -> Any:
    writer = Store(tmp_path_factory.mktemp("cards")).begin(name="buyers", params={})
    return writer.finish(
        predictor=trained.predictor_, explanation=trained.explanation_, training=trained.training_
    )


def cells(markdown: str) -> dict[str, list[str]]:
    """Each line of a Markdown table by its first cell."""
    lines = [line.strip("| ").split(" | ") for line in markdown.splitlines() if line[:2] == "| "]
    return {line[0]: line[1:] for line in lines}


class Reader(HTMLParser):
    """The text of a page, cell by cell, and its tags."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.cells: list[str] = []
        self._in: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        if tag in ("td", "th", "li"):
            self.cells.append("")
            self._in = tag

    def handle_endtag(self, tag: str) -> None:
        if tag == self._in:
            self._in = None

    def handle_data(self, data: str) -> None:
        if self._in is not None:
            self.cells[-1] += data


def test_a_card_is_stored_with_the_run(run):
    card = run.card()
    assert run._results["card.md"].decode() == card.markdown == str(card)
    assert run._results["card.html"].decode() == card.html
    assert f"Run {run.id} buyers." in card.markdown


def test_its_numbers_are_those_of_the_run(run):
    said, training = cells(run.card().markdown), run.training
    for name, (low, high) in training["cv_intervals"].items():
        value = training["metrics"]["cv"][name]
        assert said[name] == [f"{value:.4g}", f"{low:.4g} to {high:.4g}"]
        assert low < value < high
    ranked = run.explanation().global_importance()
    assert float(said[ranked.index[0]][0]) == pytest.approx(ranked.iloc[0], rel=5e-3)
    assert training["fingerprint"] in run.card().markdown
    assert str(run.explanation().certificate) in run.card().markdown


def test_scores_of_rows_kept_apart_come_first(people):
    X, y = people(300)
    clf = AutoMLClassifier(time_budget=None, max_trials=2, store=False, model_explainability=False)
    clf.fit(X[:200], y[:200], X_test=X[200:], y_test=y[200:])
    facts = plain(clf.training_)
    card = make_card(facts, None).markdown
    said, (low, high) = cells(card), facts["test_intervals"]["balanced_accuracy"]
    scores = [facts["metrics"][part]["balanced_accuracy"] for part in ("test", "cv")]
    assert said["balanced_accuracy"] == [
        f"{scores[0]:.4g}", f"{low:.4g} to {high:.4g}", f"{scores[1]:.4g}"
    ]  # fmt: skip
    assert low < scores[0] < high
    assert "100 rows kept apart" in card


def test_errors_by_cohort_are_of_rows_kept_apart(run, trained, people):
    assert "No rows were kept apart" in run.card().markdown
    X, y = people(400, seed=5)
    explanation = trained.predictor_.explain(X, rows_from="test", y=y.to_numpy())
    said = cells(make_card(plain(trained.training_), explanation).markdown)
    wrong = trained.predict(X) != y
    assert said["all"][-1].startswith(f"{wrong.mean():.3g} ±")
    cook = (X["job"] == "cook").to_numpy()
    assert said["job = cook"][:2] == [
        str(cook.sum()), f"{trained.predict_proba(X)[cook, 1].mean():.3g}"
    ]  # fmt: skip
    assert said["job = cook"][-1].startswith(f"{wrong[cook].mean():.3g} ±")


def test_it_holds_no_row(run, trained):
    incomes = trained.explanation_.data["income"].dropna()
    card = run.card()
    assert not any(repr(float(income)) in card.markdown + card.html for income in incomes)


def test_what_people_say_stands_in_it(run):
    card = run.card(intended_use="To call | customers", not_for="Credit", notes="<b>Mind</b>")
    assert r"Intended use: To call \| customers" in card.markdown
    assert "Not for: Credit" in card.html
    assert "&lt;b&gt;Mind&lt;/b&gt;" in card.html
    assert "Not stated" in run.card().markdown


def test_it_is_written_by_its_suffix(run, tmp_path):
    card = run.card()
    assert card.save(tmp_path / "card.md").read_text() == card.markdown
    assert card.save(tmp_path / "card.HTML").read_text() == card.html
    with pytest.raises(CardError, match=r"not 'card\.pdf'"):
        card.save(tmp_path / "card.pdf")
    with pytest.raises(CardError, match="cannot write"):
        card.save(tmp_path / "card.md" / "card.md")


def test_a_run_without_an_explanation_has_a_card(trained):
    card = make_card(plain(trained.training_), None, words=Words(contact="us"))
    assert "The training made no explanation." in card.markdown
    assert "Contact: us" in card.markdown


texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp", "Cf"]), min_size=1, max_size=20
)


@given(st.lists(texts, min_size=2, max_size=2), texts)
@example(["&lt;b&gt;", "a|b\\"], "![x](y) <script> **a** `b`")
def test_whatever_cells_spell_is_text(row, item):
    table = Table(("a", "b"), (tuple(row),))
    document = Document("T", "", (Section("S", (table, Items((item,)))),))
    wanted = ["a", "b", *(" ".join(cell.split()) for cell in (*row, item))]
    page = Reader(to_html(document))
    rendered = Reader(MARKDOWN.render(to_markdown(document)))
    for reader in (page, rendered):
        assert [" ".join(cell.split()) for cell in reader.cells] == wanted
        assert not {"em", "strong", "code", "a", "img", "s", "script", "b"} & set(reader.tags)


def test_a_paragraph_is_not_taken_for_something_else():
    for text in (
        "# no title",
        "- no list",
        "1. no list",
        "1) no list",
        "<i>",
        "a_b",
        "_a_",
        "~~a~~",
    ):
        page = MARKDOWN.render(to_markdown(Document("T", "", (Section("S", (Paragraph(text),)),))))
        last = page.strip().splitlines()[-1]
        assert last.startswith("<p>"), page
        assert np.all([tag not in last for tag in ("<em>", "<i>", "<s>")])
