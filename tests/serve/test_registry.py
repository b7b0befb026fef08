import json

import numpy as np
import pandas as pd
import pytest

import pellucid
from pellucid.store.comparison import compare
from pellucid.store.registry import Registry, RegistryError
from pellucid.store.versions import Reference


@pytest.fixture(scope="module")
def registry(clf):
    registry = Registry(clf.run_.store)
    clf.run_.register("shelf", alias="champion", tags={"team": "risk"}, description="first")
    clf.run_.register("shelf", iteration=1)
    return registry


def test_a_version_explains_as_the_run_does(registry, clf, people):
    loaded = pellucid.load("shelf@champion", store=registry.store.location.folder)
    np.testing.assert_array_equal(loaded.explain(people).values, clf.explain(people).values)


def test_versions_aliases_and_tags(registry, clf):
    first, newest = registry.get("shelf/1"), registry.get("shelf")
    assert (first.aliases, first.tags, first.description) == (
        ("champion",), {"team": "risk"}, "first",
    )  # fmt: skip
    assert newest.version == 2
    assert newest.run().id == clf.run_.id
    table = pellucid.list_models(store=registry.store.location.folder)
    assert table["version"][table["name"] == "shelf"].tolist() == [2, 1]


def test_a_version_of_another_trial_is_that_trial(registry, clf, people):
    margins = registry.get("shelf/2").model().margins(people)
    np.testing.assert_array_equal(margins, clf.run_.model(iteration=1).margins(people))


def test_promote_moves_the_alias(registry):
    registry.promote("shelf/2", alias="challenger")
    assert registry.get("shelf@challenger").version == 2
    registry.promote("shelf/1", alias="challenger")
    assert registry.get("shelf@challenger").version == 1
    assert registry.get("shelf/1").aliases == ("challenger", "champion")
    assert registry.tag("shelf/1", {"checked": "yes"}).tags["checked"] == "yes"


def test_a_new_name_may_be_made_by_another_in_between(registry, clf, monkeypatch):
    from mlflow.exceptions import MlflowException
    from mlflow.tracking.client import MlflowClient

    look = MlflowClient.get_registered_model

    def look_too_early(client, name):
        try:
            return look(client, name)
        except MlflowException:
            client.create_registered_model(name)  # as another process would, just after
            raise

    monkeypatch.setattr(MlflowClient, "get_registered_model", look_too_early)
    assert clf.run_.register("crowd").version == 1


@pytest.mark.parametrize(
    "text",
    ["", "a@b@c", "shelf/x", "../bank", "shelf@../x", "shelf@v1", "shelf@latest", "a/b/1", "@a"],
)
def test_what_is_no_reference(text):
    with pytest.raises(RegistryError, match="expected NAME"):
        Reference.parse(text)


def test_what_there_is_not(registry):
    with pytest.raises(RegistryError, match=r"there are .*shelf"):
        registry.get("nothing")
    with pytest.raises(RegistryError, match="shelf/1"):
        registry.get("shelf@nobody")
    with pytest.raises(RegistryError, match="shelf/9"):
        registry.get("shelf/9")


def test_mlflow_loads_and_asks_it(registry, clf, people):
    import mlflow

    mlflow.set_tracking_uri(registry.store.location.uri)
    model = mlflow.pyfunc.load_model("models:/shelf@champion")
    plain = model.predict(people)
    assert plain["prediction"].tolist() == clf.predict(people).tolist()
    np.testing.assert_array_equal(plain["probability_yes"], clf.predict_proba(people)[:, 1])
    explained = model.predict(people, params={"explain": "raw"})
    own = clf.explain(people)
    np.testing.assert_array_equal(
        explained[[f"raw.{name}" for name in own.feature_names]].to_numpy(), own.values
    )
    assert (explained["base_value"] == own.base_values[0]).all()
    names = [each.name for each in model.metadata.get_input_schema()]
    assert names == list(people.columns)
    with pytest.raises(Exception, match="explain"):
        model.predict(people, params={"explain": "all"})


def test_what_is_registered_holds_no_pickle(registry, clf):
    home = registry.store.location.folder / "artifacts" / clf.run_.id / "artifacts" / "registered"
    names = {path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()}
    assert {"MLmodel", "requirements.txt", "conda.yaml", "model/manifest.json"} <= names
    assert not [name for name in names if name.endswith((".pkl", ".joblib", ".py"))]
    facts = json.loads((home / "MLmodel").read_text())
    assert facts["flavors"]["python_function"]["loader_module"] == "pellucid.serve.flavor"


def test_an_empty_store_has_no_models(tmp_path):
    assert isinstance(pellucid.list_models(store=tmp_path), pd.DataFrame)
    with pytest.raises(RegistryError, match="holds none yet"):
        Registry(tmp_path).get("shelf")


def test_comparing_tells_scores_and_shifted_importance(registry, people):
    same = compare(registry.get("shelf/1"), registry.get("shelf/1"), people)
    assert same.shift == 0
    assert same.same_data
    assert (same.metrics["change"].dropna() == 0).all()
    other = compare(registry.get("shelf/1"), registry.get("shelf/2"), people)
    assert 0 < other.shift <= 1
    sizes = other.importances["shift"].abs().tolist()
    assert sizes == sorted(sizes, reverse=True)
    assert other.importances["first"].sum() == pytest.approx(1)
    own = registry.get("shelf/1").model().explain(people).global_importance()
    assert other.importances["first"]["job"] == pytest.approx(own["job"] / own.sum())
