import json
import re

import pytest

from pellucid.errors import PellucidError
from pellucid.view.payload import build_payload
from pellucid.view.report import ReportError, render_report, write_report


def test_the_page_holds_its_payload_unchanged(runs):
    payload = build_payload(runs["binary"])
    page = render_report(payload)
    held = re.search(r'<script type="application/json" id="payload">(.*?)</script>', page, re.S)
    assert json.loads(held[1]) == payload


def test_nothing_in_the_data_can_end_the_payload():
    hostile = "</script><script>alert(1)</script><!-- \u2028 \ud800 'quotes\" & 😀 \u202e"
    page = render_report({"run": {"name": hostile}, "training": {"target": hostile}})
    assert page.count("</script>") == 2
    assert "<script>alert" not in page
    assert page.encode("utf-8")


def test_the_page_asks_for_nothing(runs):
    page = render_report(build_payload(runs["regression"]))
    assert "default-src 'none'" in page.replace("&#x27;", "'")
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?:https?:)?//""", page)
    assert "innerHTML" not in page
    assert "insertAdjacentHTML" not in page


def test_reports_are_written_whole(runs, tmp_path):
    path = write_report(runs["binary"], tmp_path / "new" / "report.html")
    assert path.read_text("utf-8").endswith("</html>\n")
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]
    write_report(runs["regression"], path)
    with pytest.raises(ReportError, match="is there already"):
        write_report(runs["binary"], path, overwrite=False)


def test_paths_that_cannot_be_written_are_named(runs, tmp_path):
    with pytest.raises(ReportError, match="is a folder"):
        write_report(runs["binary"], tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(PellucidError, match=r"cannot write the report to .*file/report\.html"):
        write_report(runs["binary"], tmp_path / "file" / "report.html")
