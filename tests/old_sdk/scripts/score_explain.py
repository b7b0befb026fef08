import json

import joblib
import pandas as pd
from azureml.core.model import Model
from azureml.train.automl.runtime.automl_explain_utilities import automl_setup_model_explanations


def init():
    global automl_model, scoring_explainer
    automl_model = joblib.load(Model.get_model_path("hardware_model"))
    scoring_explainer = joblib.load(Model.get_model_path("hardware_explainer"))


def run(raw_data):
    data = pd.DataFrame(json.loads(raw_data))
    setup = automl_setup_model_explanations(automl_model, X_test=data, task="regression")
    engineered = scoring_explainer.explain(setup.X_test_transform)
    raw = scoring_explainer.explain(setup.X_test_transform, get_raw=True)
    return {
        "predictions": automl_model.predict(data).tolist(),
        "engineered_local_importance_values": engineered,
        "raw_local_importance_values": raw,
    }
