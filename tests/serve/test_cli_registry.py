import json

from typer.testing import CliRunner

from pellucid.cli import app


def run(*words):
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.output


def test_register_list_promote_and_compare(clf):
    store = clf.run_.store.location.folder
    given = ["--store", store]
    assert run("register", "latest", "shop", "--alias", "champion", *given).startswith("shop/1 is")
    run("register", "latest", "shop", "--iteration", 1, *given)
    assert "shop@champion is now version 2" in run("promote", "shop/2", *given)
    assert "shop/2" in run("models", *given)
    listed = {(e["name"], e["version"]): e for e in json.loads(run("models", "--json", *given))}
    assert listed["shop", 2]["aliases"] == ["champion"]
    assert "went to other features" in run("compare", "shop/1", "shop@champion", *given)
    assert json.loads(run("compare", "shop/1", "shop/1", "--json", *given))["shift"] == 0


def test_what_is_not_there_is_told_in_a_line(clf):
    store = clf.run_.store.location.folder
    result = CliRunner().invoke(app, ["promote", "nothing/1", "--store", str(store)])
    assert result.exit_code == 2
    assert "no registered model 'nothing'" in result.output
