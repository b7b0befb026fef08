import json

import numpy as np
import pytest

from pellucid.azureml.old_files import OldFileError, read_explanation

VALUES = np.arange(6.0).reshape(3, 2) - 2


def folder_of(tmp_path, **files):
    for name, content in files.items():
        (tmp_path / f"{name}.interpret.json").write_text(json.dumps(content))
    return tmp_path


@pytest.mark.parametrize(
    ("classes", "local", "base"),
    [
        (None, VALUES, [7.0]),
        (["n", "y"], np.stack([-VALUES, VALUES]), [-7.0, 7.0]),
        (["a", "b", "c"], np.stack([VALUES, 2 * VALUES, -3 * VALUES]), [1.0, 2.0, 3.0]),
    ],
)
def test_an_old_folder_answers_as_it_did(tmp_path, classes, local, base):
    extra = {} if classes is None else {"classes": classes}
    folder = folder_of(
        tmp_path, features=["age", "job"], local_importance_values=local.tolist(),
        expected_values=base, **extra,
    )  # fmt: skip
    found = read_explanation(folder)
    np.testing.assert_array_equal(found.local_importance_values, local)
    assert found.expected_values == base
    assert (found.features, found.classes) == (["age", "job"], classes)


def test_folders_that_cannot_be_read(tmp_path):
    with pytest.raises(OldFileError, match=r"has no features\.interpret\.json"):
        read_explanation(tmp_path)
    folder_of(tmp_path, features=["a"], local_importance_values=[[1, 2]], expected_values=[0])
    with pytest.raises(OldFileError, match="does not fit its 1 features"):
        read_explanation(tmp_path)
    (tmp_path / "features.interpret.json").write_text("{")
    with pytest.raises(OldFileError, match="is no JSON"):
        read_explanation(tmp_path)
