"""Files of any usual kind are read; a file that cannot be is one clear error."""

import contextlib
import gzip
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from pellucid.errors import PellucidWarning
from pellucid.tabular.read import ReadError, read_table

FRAME = pd.DataFrame({"age": [31, 45], "city": ["Rome, Italy", None], "pay": [1.5, -2.5]})


@pytest.mark.parametrize("suffix", [".csv", ".CSV", ".csv.gz", ".tsv", ".txt"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_text_files_of_any_delimiter(tmp_path, suffix, delimiter):
    path = tmp_path / f"people{suffix}"
    FRAME.to_csv(path, sep=delimiter, index=False)
    pd.testing.assert_frame_equal(read_table(path), FRAME)
    pd.testing.assert_frame_equal(read_table(str(path)), FRAME)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_with_a_mark_are_told(tmp_path, encoding):
    path = tmp_path / "people.csv"
    path.write_bytes("größe,ort\n1,Zürich\n".encode(encoding))
    assert read_table(path).to_dict("list") == {"größe": [1], "ort": ["Zürich"]}


def test_windows_text_is_read_with_a_warning(tmp_path):
    path = tmp_path / "people.csv"
    path.write_bytes("ort,n\nZürich,1\n".encode("cp1252"))
    with pytest.warns(PellucidWarning, match="not UTF-8"):
        frame = read_table(path)
    assert frame["ort"].tolist() == ["Zürich"]


def test_a_single_column_and_quoted_delimiters(tmp_path):
    path = tmp_path / "one.csv"
    path.write_text("age\n31\n45\n")
    assert read_table(path)["age"].tolist() == [31, 45]
    path.write_text('name;note\n"a;b";"x,y,z"\n"c";"line\nbreak"\n')
    assert read_table(path)["name"].tolist() == ["a;b", "c"]


@pytest.mark.parametrize("suffix", [".parquet", ".pq", ".feather", ".arrow", ".ipc"])
def test_binary_files(tmp_path, suffix):
    path = tmp_path / f"people{suffix}"
    if suffix in (".parquet", ".pq"):
        FRAME.to_parquet(path)
    else:
        FRAME.to_feather(path)
    pd.testing.assert_frame_equal(read_table(path), FRAME)


def test_an_arrow_stream(tmp_path):
    path = tmp_path / "people.arrow"
    table = pa.Table.from_pandas(FRAME)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    pd.testing.assert_frame_equal(read_table(path), FRAME)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("absent.csv", None, "there is no file"),
        ("x.xlsx", b"PK", "unknown kind; expected a name that ends in .csv"),
        ("noext", b"a,b\n1,2\n", "unknown kind"),
        ("empty.csv", b"", "is empty"),
        ("blank.csv", b"\n \n", "is empty"),
        ("header.csv", b"a,b\n", "has no rows"),
        ("ragged.csv", b"a,b\n1,2\n1,2,3,4\n", "cannot be read as csv.*line 3"),
        ("twice.csv", b"a,b,a\n1,2,3\n", "2 columns named 'a'"),
        ("quote.csv", b'a,b\n"1,2\n3,4\n', "cannot be read as csv"),
        (
            "cut.csv.gz",
            gzip.compress(b"a,b\n1,2\n" * 99, mtime=0)[:-20],
            "cannot be read as csv.gz",
        ),
        ("plain.csv.gz", b"a,b\n1,2\n", "cannot be read as csv.gz"),
        ("text.parquet", b"a,b\n1,2\n", "cannot be read as parquet.*damaged"),
        ("cut.parquet", b"PAR1" + b"\0" * 50, "cannot be read as parquet"),
        ("text.feather", b"a,b\n1,2\n", "cannot be read as feather"),
        ("empty.parquet", b"", "is empty"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path, name, content, message):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ReadError, match=message) as caught:
        read_table(path)
    assert name in str(caught.value)


def test_a_folder_and_paths_that_no_file_can_have(tmp_path):
    folder = tmp_path / "parts.parquet"
    folder.mkdir()
    with pytest.raises(ReadError, match="is a folder"):
        read_table(folder)
    with pytest.raises(ReadError, match=r"cannot be opened|no file"):
        read_table("nul\0.csv")
    with pytest.raises(ReadError, match="cannot be opened"):
        read_table("x" * 5000 + ".csv")


def test_no_rows_in_a_parquet_file(tmp_path):
    path = tmp_path / "none.parquet"
    FRAME.iloc[:0].to_parquet(path)
    with pytest.raises(ReadError, match="has no rows"):
        read_table(path)


def test_junk_never_raises_a_foreign_error(tmp_path):
    rng = np.random.default_rng(0)
    for suffix in (".csv", ".csv.gz", ".parquet", ".arrow"):
        path = tmp_path / f"junk{suffix}"
        for size in (1, 7, 100, 5000):
            path.write_bytes(rng.bytes(size))
            with warnings.catch_warnings(), contextlib.suppress(ReadError):
                warnings.simplefilter("ignore", PellucidWarning)
                read_table(path)
