"""Pages of the site that are made of something else: the command line, and files beside docs/.

Where GitHub shows a line that says where to look, the site shows the thing itself.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BESIDE = {  # page -> the file of the repository that it shows
    "changelog": "CHANGELOG.md",
    "contributing": "CONTRIBUTING.md",
    "policy": "SECURITY.md",
    "threats": "THREATS.md",
}


def fill(app: Any, page: str, source: list[str]) -> None:
    """Put the content of a page in the place of its stub; Sphinx's event "source-read"."""
    if page == "reference/cli":
        source[0] = command_line()
    elif page in BESIDE:
        source[0] = (ROOT / BESIDE[page]).read_text(encoding="utf-8")
    source[0] = relink(source[0])


def relink(text: str) -> str:
    """Links to files beside docs/ lead to their pages, and links into docs/ start there.

    A link whose text is a file, as GitHub's readers see it, gets the page's title.
    """
    for page, file in {**BESIDE, "index": "README.md"}.items():
        text = re.sub(rf"\]\((?:\.\./)?{re.escape(file)}", f"]({page}.md", text)
    text = text.replace("](docs/", "](")
    return re.sub(r"\[(?:docs/)?[\w-]+\.md\]\(", "[](", text)


def command_line() -> str:
    """Every command with its arguments and options, as Markdown, from the commands themselves."""
    import typer

    from pellucid.cli import app

    group = typer.main.get_command(app)
    names = group.list_commands(typer.Context(group))
    lines = ["# The command line", "", group.help, ""]
    for name in names:
        lines += _command(name, group.commands[name])
    return "\n".join(lines)


def _command(name: str, command: Any) -> list[str]:
    import typer

    context = typer.Context(command, info_name=f"pellucid {name}")
    usage = " ".join(command.collect_usage_pieces(context))
    lines = [f"## {name}", "", f"```\npellucid {name} {usage}\n```", "", command.help, ""]
    rows = [record for each in command.params if (record := each.get_help_record(context))]
    if rows:
        lines += ["| | |", "|---|---|"]
        lines += [f"| `{_cell(what)}` | {_cell(said)} |" for what, said in rows]
        lines.append("")
    return lines


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
