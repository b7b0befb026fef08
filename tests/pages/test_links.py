"""Links between the pages lead somewhere, and commands and names that pages show exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

import pellucid
from pellucid.cli import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
FENCED = re.compile(r"^(```|~~~).*?^\1$", re.S | re.M)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and the site make them."""
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    titles = re.findall(r"^#+ (.+)$", text, flags=re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def broken(page: Path) -> list[str]:
    """The links of a page that lead nowhere within the repository."""
    found = []
    for link in LINK.findall(FENCED.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", link):  # to elsewhere
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            found.append(link)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    assert broken(page) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path):
    (tmp_path / "b.md").write_text("# It is so: here\n")
    page = tmp_path / "a.md"
    page.write_text("[1](b.md#it-is-so-here) [2](b.md#there) [3](c.md) [4](https://example.org)\n")
    assert broken(page) == ["b.md#there", "c.md"]


def commands_of(page: Path) -> list[list[str]]:
    """The words of each `pellucid` command in a page's blocks and between its backticks."""
    text = page.read_text(encoding="utf-8")
    blocks = "\n".join(match[0] for match in FENCED.finditer(text)).replace("\\\n", " ")
    lines = re.findall(r"^\s*(?:\$ )?(pellucid [a-z].*)$", blocks, flags=re.M)
    lines += re.findall(r"`(pellucid [a-z][^`]*)`", FENCED.sub("", text).replace("\n", " "))
    return [shlex.split(line, comments=True) for line in lines]


def unknown(words: list[str]) -> list[str]:
    """What of a command there is not: its name, or its options."""
    group = typer.main.get_command(app)
    command = group.commands.get(words[1])
    if command is None:
        return [words[1]]
    known = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
    return [word for word in words[2:] if re.match(r"--?[a-z]", word) and word not in known]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_exist(page):
    for words in commands_of(page):
        for each in re.split(r" (?:&&|\|) ", " ".join(map(shlex.quote, words))):
            assert unknown(shlex.split(each)) == [], " ".join(words)


def test_a_command_that_there_is_not_is_found():
    assert unknown(["pellucid", "tarin"]) == ["tarin"]
    assert unknown(["pellucid", "train", "a.csv", "--traget", "y", "--time", "3"]) == ["--traget"]


def test_every_public_name_stands_in_the_reference():
    from pellucid import shapley
    from pellucid.explain import _HOMES as explain_names

    text = "\n".join(page.read_text() for page in (ROOT / "docs" / "reference").glob("*.md"))
    names = {*pellucid.__all__, *shapley.__all__, *explain_names}
    assert sorted(name for name in names if not re.search(rf"\b{name}\b", text)) == []
