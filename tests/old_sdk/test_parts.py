"""The parts behind the old names: settings, data sets, registry, explanations, services."""

import urllib.error
import urllib.request
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest

from pellucid.azureml.client import ExplanationClient, NoExplanationError
from pellucid.azureml.datasets import Dataset, DatasetError, TabularDataset
from pellucid.azureml.environment import CondaDependencies
from pellucid.azureml.explanations import OldExplanation
from pellucid.azureml.mimic import (
    DecisionTreeExplainableModel,
    LGBMExplainableModel,
    LinearExplainableModel,
    MimicError,
    MimicExplainer,
    SGDExplainableModel,
)
from pellucid.azureml.models import Model, ModelError
from pellucid.azureml.runs import Run, RunError
from pellucid.azureml.scoring import (
    LinearScoringExplainer,
    ScoringError,
    TreeScoringExplainer,
    load,
    save,
)
from pellucid.azureml.scripts import ScriptError, ScriptRunConfig
from pellucid.azureml.services import InferenceConfig, Webservice, WebserviceException
from pellucid.azureml.settings import ConfigError
from pellucid.azureml.training import AutoMLConfig
from pellucid.azureml.workspace import Experiment, Workspace
from pellucid.explain.explanation import Explanation

pytestmark = pytest.mark.filterwarnings("ignore::pellucid.azureml.notes.NoMeaningWarning")
rng = np.random.default_rng(0)
ROWS = rng.normal(size=(400, 4))


@pytest.fixture
def ws(tmp_path, monkeypatch):
    monkeypatch.setenv("PELLUCID_STORE", str(tmp_path / "store"))
    monkeypatch.chdir(tmp_path)
    return Workspace.from_config()


class Classifier:
    """Three classes, of which the first two columns decide."""

    classes_ = ("a", "b", "c")

    def predict_proba(self, rows):
        odds = np.exp(np.column_stack([rows[:, 0], 2 * rows[:, 1], -rows[:, 0]]))
        return odds / odds.sum(axis=1, keepdims=True)


def explanation(n_outputs=1, classes=None):
    values = rng.normal(size=(5, 3, n_outputs))
    return Explanation(
        values=values[:, :, 0] if n_outputs == 1 else values,
        base_values=np.arange(n_outputs) + 1.0,
        feature_names=("x", "y", "z"), data=pd.DataFrame(np.zeros((5, 3)), columns=list("xyz")),
        classes=classes,
    )  # fmt: skip


def test_settings_that_cannot_work_are_refused(ws):
    with pytest.raises(ConfigError, match="unknown task 'clustering'"):
        AutoMLConfig("clustering")
    frame = pd.DataFrame({"a": [1.0, 2.0]})
    submit = Experiment(ws, "e").submit
    with pytest.raises(ConfigError, match=r"label_column_name .b. is not among"):
        submit(AutoMLConfig("regression", training_data=frame, label_column_name="b"))
    with pytest.raises(ConfigError, match="no parameter 'iteratons'"):
        submit(AutoMLConfig("regression", X=frame, y=[1, 2], iterations=1, iteratons=3))


def test_data_sets_are_kept_under_names(ws):
    rows = TabularDataset(pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}))
    rows.register(ws, "mine")
    assert Dataset.get_by_name(ws, "mine").to_pandas_dataframe().equals(rows.to_pandas_dataframe())
    with pytest.raises(DatasetError, match="'mine' already"):
        rows.register(ws, "mine")
    with pytest.raises(DatasetError, match=r"no data set .yours..*known: mine"):
        Dataset.get_by_name(ws, "yours")
    with pytest.raises(DatasetError, match=r"no file none\.csv"):
        Dataset.Tabular.from_delimited_files("none.csv")
    target = ws.get_default_datastore()
    rows.to_pandas_dataframe().to_csv("rows.csv", index=False)
    target.upload_files(["rows.csv"], target_path="in")
    found = Dataset.Tabular.from_delimited_files(target.path("in/*.csv"))
    assert found.columns == ["a", "b"]


def test_a_split_has_every_row_once():
    rows = TabularDataset(pd.DataFrame({"a": range(101)}))
    parts = [each.to_pandas_dataframe()["a"] for each in rows.random_split(0.7, seed=1)]
    assert [len(part) for part in parts] == [71, 30]
    assert sorted(pd.concat(parts)) == list(range(101))


def test_rows_of_a_time():
    days = pd.date_range("2024-01-01", periods=10)
    rows = TabularDataset(pd.DataFrame({"day": days.astype(str), "x": range(10)}))
    with pytest.raises(DatasetError, match="call with_timestamp_columns"):
        rows.time_before(days[3])
    timed = rows.with_timestamp_columns("day").drop_columns("x")
    assert len(timed.time_before(days[3])) == 4
    assert len(timed.time_after(days[3], include_boundary=False)) == 6
    assert len(timed.time_between(days[2], days[4])) == 3


def test_versions_of_a_model_count_up(ws, tmp_path):
    (tmp_path / "m.pkl").write_bytes(b"one")
    Model.register(ws, "m.pkl", "m", tags={"k": "v"})
    (tmp_path / "m.pkl").write_bytes(b"two")
    latest = Model.register(ws, "m.pkl", "m")
    assert (latest.id, Model(ws, "m", 1).tags) == ("m:2", {"k": "v"})
    assert Path(Model.get_model_path("m")).read_bytes() == b"two"
    assert [each.id for each in Model.list(ws)] == ["m:2", "m:1"]
    with pytest.raises(ModelError, match=r"no model .other..*models: m"):
        Model(ws, "other")
    with pytest.raises(ModelError, match="cannot name a model"):
        Model.register(ws, "m.pkl", "../m")


def test_a_run_keeps_what_it_is_told(ws, tmp_path):
    run = Experiment(ws, "e").start_logging()
    run.log("loss", 3.0)
    run.log("loss", 2.0)
    run.tag("by", "me")
    (tmp_path / "f.txt").write_text("here")
    run.upload_file("outputs/f.txt", "f.txt")
    run.download_file("outputs/f.txt", "g.txt")
    run.complete()
    again = Run.get(ws, run.id)
    assert (tmp_path / "g.txt").read_text() == "here"
    assert (again.get_metrics(), again.status) == ({"loss": [3.0, 2.0]}, "Completed")
    assert again.get_tags() == {"by": "me"}
    assert again.get_file_names() == ["outputs/f.txt"]
    with pytest.raises(RunError, match="outside of the run's folder"):
        run.upload_file("../../f.txt", "f.txt")
    with pytest.raises(RunError, match=r"no file 'h\.txt'; it has: outputs/f\.txt"):
        run.download_file("h.txt")


def test_explanations_are_listed_and_found_again(ws):
    with Experiment(ws, "e").start_logging() as run:
        client = ExplanationClient.from_run(run)
    assert [each.status for each in Run.list(Experiment(ws, "e"))] == ["Completed"]
    with pytest.raises(NoExplanationError, match="it has: none"):
        client.download_model_explanation(raw=True)
    ours = explanation()
    identity = client.upload_model_explanation(OldExplanation(ours), comment="first")
    client.upload_model_explanation(explanation(), comment="second", top_k=1)
    few = client.download_model_explanation(comment="second")
    assert [len(few.get_ranked_global_names(k)) for k in (None, 2)] == [1, 2]
    assert [each["comment"] for each in client.list_model_explanations()] == ["first", "second"]
    found = client.download_model_explanation(comment="first", raw=True)
    assert found.id == identity
    np.testing.assert_array_equal(found.explanation.values, ours.values)
    with pytest.raises(NoExplanationError, match="raw 'first'; raw 'second'"):
        client.download_model_explanation(engineered=True)


@pytest.mark.parametrize(
    ("n_outputs", "classes", "shape"),
    [(1, None, (5, 3)), (1, ("n", "y"), (2, 5, 3)), (3, ("a", "b", "c"), (3, 5, 3))],
)
def test_old_shapes(n_outputs, classes, shape):
    old = OldExplanation(explanation(n_outputs, classes))
    local = np.array(old.local_importance_values)
    assert local.shape == shape
    assert len(old.expected_values) == (len(classes) if classes else 1)
    table = local if classes else local[None]
    means = np.abs(table).mean(axis=(0, 1))
    ranked = old.get_feature_importance_dict()
    np.testing.assert_allclose(list(ranked.values()), sorted(means, reverse=True))
    assert ranked == {name: pytest.approx(m) for name, m in zip("xyz", means)}
    names = np.array(old.get_ranked_local_names(top_k=1))
    assert names.shape == (*shape[:-1], 1)
    best = np.array(list("xyz"))[local.argmax(axis=-1)]
    assert np.array_equal(names[..., 0], best)


@pytest.mark.parametrize(
    "kind",
    [
        LGBMExplainableModel, LinearExplainableModel, SGDExplainableModel,
        DecisionTreeExplainableModel,
    ],
)  # fmt: skip
def test_a_surrogate_adds_up_and_is_saved(kind, tmp_path):
    explainer = MimicExplainer(Classifier(), ROWS, kind, features=list("wxyz"))
    assert explainer.get_surrogate_model_replication_measure(ROWS) > 0.8
    found = explainer.explain_global(ROWS[:20])
    values = np.array(found.local_importance_values)
    total = values.sum(axis=2).T + found.expected_values
    np.testing.assert_allclose(total, explainer.surrogate.predict(ROWS[:20]), atol=1e-9)
    feature_map = np.array([[1, 1, 0, 0], [0, 0, 1, 1]])
    scorer = TreeScoringExplainer(explainer, feature_maps=[feature_map])
    save(scorer, tmp_path)
    again = load(tmp_path)
    for raw in (False, True):
        assert again.explain(ROWS[:3], get_raw=raw) == scorer.explain(ROWS[:3], get_raw=raw)
    summed = np.array(scorer.explain(ROWS[:3], get_raw=True)).sum(axis=2)
    np.testing.assert_allclose(summed, values[:, :3].sum(axis=2), atol=1e-9)
    with pytest.raises(ScoringError, match="exists already"):
        save(scorer, tmp_path)
    raw = found.get_raw_explanation([feature_map], raw_feature_names=["a", "b"])
    assert (raw.features, raw.is_raw) == (["a", "b"], True)
    np.testing.assert_allclose(raw.local_importance_values, values @ feature_map.T, atol=1e-12)


def test_what_a_surrogate_cannot_do_is_said():
    explainer = MimicExplainer(Classifier(), ROWS)
    with pytest.raises(MimicError, match="made of 2 raw ones"):
        LinearScoringExplainer(explainer, feature_maps=[np.ones((2, 4))])
    with pytest.raises(ScoringError, match="need feature_maps"):
        LinearScoringExplainer(explainer).explain(ROWS[:1], get_raw=True)
    with pytest.raises(ScoringError, match="not of a Classifier"):
        TreeScoringExplainer(Classifier())
    with pytest.raises(MimicError, match="takes numbers"):
        MimicExplainer(Classifier(), pd.DataFrame({"a": ["x", "y"]}))


def test_packages_survive_their_file(tmp_path):
    made = CondaDependencies.create(pip_packages=["shap==0.51"], conda_packages=["numpy"])
    made.save_to_file(str(tmp_path), "env.yml")
    again = CondaDependencies(str(tmp_path / "env.yml"))
    assert (again.pip_packages, again.conda_packages) == (["shap==0.51"], ["numpy"])
    assert again.serialize_to_string() == made.serialize_to_string()


def test_a_script_that_fails_says_why(ws, tmp_path):
    (tmp_path / "bad.py").write_text("print('so far')\nraise ValueError('no luck')\n")
    experiment = Experiment(ws, "e")
    with pytest.raises(ScriptError, match=r"(?s)so far.*no luck"):
        experiment.submit(ScriptRunConfig(script="bad.py"))
    assert experiment.get_runs()[0].status == "Failed"
    said = experiment.get_runs()[0].get_details_with_logs()["logFiles"]
    assert "no luck" in said["output.txt"]


def test_a_service_answers_refuses_and_ends(ws, tmp_path):
    joblib.dump({"add": 10}, tmp_path / "sum.pkl")
    Model.register(ws, "sum.pkl", "sum")
    (tmp_path / "score.py").write_text(
        "import joblib\nimport pandas as pd\nfrom azureml.core.model import Model\n"
        "def init():\n    global add\n    add = joblib.load(Model.get_model_path('sum'))['add']\n"
        "def run(data):\n    rows = pd.read_json(data, orient='records')\n"
        "    return (rows['x'] + add).tolist()\n"
    )
    config = InferenceConfig(entry_script="score.py")
    settings = Webservice.deploy_configuration(auth_enabled=True, tags={"a": "b"})
    service = Model.deploy(ws, "adder", [Model(ws, "sum")], config, settings)
    try:
        service.wait_for_deployment()
        assert (service.run([{"x": 1}, {"x": 2}]), service.state) == ([11, 12], "Healthy")
        port = service.port
        service.reload()
        service.wait_for_deployment()
        assert (service.port, service.run([{"x": 1}])) == (port, [11])
        assert Webservice(ws, "adder").tags == {"a": "b"}
        with pytest.raises(WebserviceException, match=r"500: .*KeyError"):
            service.run([{"y": 1}])
        with pytest.raises(WebserviceException, match="already; pass overwrite"):
            Model.deploy(ws, "adder", [], config)
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(service.scoring_uri, data=b"[1]")
    finally:
        service.delete()
    with pytest.raises(WebserviceException, match="no service 'adder'"):
        Webservice(ws, "adder")


def test_a_service_that_cannot_start_shows_its_log(ws, tmp_path):
    (tmp_path / "score.py").write_text(
        "def init():\n    raise OSError('no disk')\ndef run(x): pass\n"
    )
    service = Model.deploy(ws, "broken", [], InferenceConfig(entry_script="score.py"))
    try:
        with pytest.raises(WebserviceException, match="no disk"):
            service.wait_for_deployment()
    finally:
        service.delete()
