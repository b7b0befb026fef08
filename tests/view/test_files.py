"""Pictures and tables as files, made in the page with the network off."""

import csv
import io
import struct
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest


def saved(page, button, kind):
    button.focus()
    button.press("Enter")
    with page.expect_download() as download:
        page.get_by_role("button", name=kind, exact=True).press("Enter")
    return download.value.path().read_bytes(), download.value.suggested_filename


def test_every_kind_of_picture_is_saved_as_svg_and_png(runs, show):
    page = show(runs["binary"])
    for place in ("#importance", "#dependence", ".waterfall", "#scatter", "#cohorts", "#columns"):
        picture = page.locator(place).first
        picture.scroll_into_view_if_needed()
        if place == ".waterfall":
            picture = picture.locator("..")
        button = picture.get_by_role("button", name="Save the picture").first
        text, name = saved(page, button, "SVG")
        assert name.endswith(".svg")
        root = ElementTree.fromstring(text)
        assert len(list(root.iter())) > 10, place
        assert b"http" not in text.replace(b"http://www.w3.org", b"")  # needs nothing else
        data, name = saved(page, button, "PNG")
        assert name.endswith(".png")
        width, height = struct.unpack(">II", data[16:24])
        assert (width, height) == (2 * float(root.get("width")), 2 * float(root.get("height")))
    said = ElementTree.fromstring(saved(page, page.locator(".imp .save-open"), "SVG")[0])
    words = {text.text for text in said.iter("{http://www.w3.org/2000/svg}text")}
    assert {"age", "job", "income"} <= words
    assert len(list(said.iter("{http://www.w3.org/2000/svg}image"))) >= 5  # swarms


@pytest.mark.parametrize(
    "name", ["=1+1", 'a "quoted", one', "plain"], ids=["formula", "quoted", "plain"]
)
def test_tables_are_saved_whole_and_exact(runs, show, name):
    held = runs["regression"].held
    names = (name, *held.feature_names[1:])
    renamed = held.data.set_axis(list(names), axis=1)
    from dataclasses import replace

    run = replace(
        runs["regression"],
        held=replace(held, feature_names=names, data=renamed, engineered=None),
    )
    page = show(run)
    with page.expect_download() as download:
        page.get_by_role("button", name="Importance in both cohorts as CSV").click()
    text = download.value.path().read_text("utf-8-sig")
    head, *rows = csv.reader(io.StringIO(text))
    assert head == ["Feature", "First", "Second", "Difference", "Rank"]
    assert {row[0] for row in rows} == {"'=1+1" if name == "=1+1" else name, *names[1:]}
    joined = held.data["joined"].to_numpy()
    first = np.abs(held.values[joined < np.sort(joined)[len(joined) // 2]]).mean(axis=0)
    assert sorted(float(row[1]) for row in rows) == pytest.approx(sorted(first), rel=1e-4)
