"""Damage every file that Pellucid reads, and see that no reader crashes, hangs, or answers wrongly.

    python benchmarks/fuzz.py --seconds 300 --seed 0 --json fuzz.json

Two kinds of damage are done to a small model, its folder, its explanation, its tables, a kept trial
and its data files. Accidents change bytes and leave the digests: every one must be refused. Attacks
change what is inside (numbers in JSON, headers and bytes of arrays, zips, Arrow files) and seal the
file again with right digests: they must be refused by an error of ours, or give a model that
answers without a crash. Readers run in a child process, so that a crash or a hang is counted.
"""

from __future__ import annotations

import argparse
import faulthandler
import hashlib
import io
import json
import multiprocessing
import random
import tempfile
import time
import warnings
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from pellucid import AutoMLClassifier
from pellucid.errors import PellucidError
from pellucid.explain.persistence import explanation_from_bytes, explanation_to_bytes
from pellucid.search.kept import trial_ensemble, trial_from_files
from pellucid.shapley.files import trees_from_bytes
from pellucid.store.artifacts import load_predictor, save_files
from pellucid.tabular.read import read_table

_HANG = 20  # seconds after which a reader hangs
_BATCH = 200  # damages in one child
_NUMBERS = (0, -1, 1, 2**31, 2**63, -(2**63), 1e308, float("nan"), True, None, "", "x", [], {})


# -- what is damaged ------------------------------------------------------------------------------
def make_corpus(folder: Path) -> dict[str, dict[str, bytes]]:
    """One small thing of each kind that is read, as named files: kind -> files."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "age": rng.integers(18, 80, 150),
            "job": rng.choice(["cook", "clerk", "maid"], 150),
            "since": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 900, 150), "D"),
            "note": [f"was {'glad' if i % 2 else 'cross'} {i % 7} times" for i in range(150)],
        }
    )
    y = np.where(X["age"] + 20 * (X["job"] == "cook") > 55, "yes", "no")
    clf = AutoMLClassifier(
        time_budget=None, max_trials=5, n_jobs=1, store=str(folder / "store"),
        allowed_families=["linear", "lightgbm", "spline"], max_members=3,
    ).fit(X, y)  # fmt: skip
    X.head(20).to_parquet(folder / "t.parquet")
    X.head(20).to_feather(folder / "t.feather")
    X.head(20).to_csv(folder / "t.csv.gz", index=False)
    files = clf.predictor_.to_files()
    run = clf.run_
    kept = {}
    for place in sorted((folder / "store").rglob("trials/*/trial.json")):
        kept = {each.name: each.read_bytes() for each in place.parent.iterdir()}
    kept.pop("manifest.json", None)
    assert run is not None
    return {
        "model": files,
        "explanation": {"e.zip": explanation_to_bytes(clf.explain(X.head(8)))},
        "trees": {"trees.bin": next(files[n] for n in files if n.endswith("trees.bin"))},
        "trial": kept,
        **{f"table {p.suffix}": {p.name: p.read_bytes()} for p in folder.glob("t.*")},
    }


# -- damage ---------------------------------------------------------------------------------------
def damage(data: bytes, rng: random.Random) -> bytes:
    """One of: a bit, a byte, a region of zeros or noise, a cut, a repetition, a swap."""
    if not data:
        return b"\0"
    held, at = bytearray(data), rng.randrange(len(data))
    size = min(len(data) - at, 1 << rng.randrange(12))
    kind = rng.randrange(7)
    if kind == 0:
        held[at] ^= 1 << rng.randrange(8)
    elif kind == 1:
        held[at] = rng.choice((0, 1, 127, 128, 255))
    elif kind == 2:
        held[at : at + size] = bytes(size)
    elif kind == 3:
        held[at : at + size] = rng.randbytes(size)
    elif kind == 4:
        del held[at:]
    elif kind == 5:
        held[at:at] = held[at : at + size]
    else:
        other = rng.randrange(len(data))
        held[at : at + size], held[other : other + size] = (
            held[other : other + size],
            held[at : at + size],
        )
    return bytes(held)


def attack(name: str, data: bytes, rng: random.Random) -> bytes:
    """Damage within a format, and its digests made right again."""
    if data[:8] == b"PLCDSHAP":
        body = _inside(data[48:], rng)
        return data[:16] + hashlib.sha256(body).digest() + body
    if data[:4] == b"PK\3\4":
        return _rezipped(data, rng)
    return _inside(data, rng) if rng.random() < 0.7 else damage(data, rng)


def _inside(data: bytes, rng: random.Random) -> bytes:
    """JSON keeps its syntax and changes its values; arrays change header or numbers."""
    if data[:1] in (b"{", b"["):
        try:
            head, end = json.JSONDecoder().raw_decode(data.decode("latin-1"))
        except ValueError:
            return damage(data, rng)
        _poke(head, rng)
        text = json.dumps(head).encode("latin-1", "replace")
        rest = data[end:].lstrip(b" ") if data[end : end + 1] != b" " else data[end:]
        return text.ljust(len(data) - len(rest)) + rest if rest else text
    if data[:6] == b"\x93NUMPY" and rng.random() < 0.5:
        old = rng.choice((b"<f4", b"<f8", b"<i8", b"False", b"(", b","))
        return data.replace(old, rng.choice((b"|O ", b"<U9", b"True ", b"(9999999,", b"-")), 1)
    return damage(data, rng)


def _poke(value: object, rng: random.Random) -> None:
    """Change one leaf of nested lists and dicts."""
    for _ in range(12):
        if isinstance(value, dict) and value:
            key = rng.choice(sorted(value))
        elif isinstance(value, list) and value:
            key = rng.randrange(len(value))
        else:
            return
        if isinstance(value[key], dict | list) and value[key] and rng.random() < 0.9:
            value = value[key]
            continue
        if isinstance(value[key], int | float) and rng.random() < 0.5:
            value[key] = value[key] + rng.choice((1, -1, 1000, -1000))
        elif isinstance(value, dict) and rng.random() < 0.2:
            del value[key]
        else:
            value[key] = rng.choice(_NUMBERS)
        return


def _rezipped(data: bytes, rng: random.Random) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        entries = old.infolist()
        chosen = rng.choice(entries).filename
        squeezed = rng.random() < 0.05
        for entry in entries:
            held = old.read(entry)
            if entry.filename == chosen:
                held = attack(entry.filename, held, rng)
            told = zipfile.ZipInfo(entry.filename)
            told.compress_type = zipfile.ZIP_DEFLATED if squeezed else entry.compress_type
            new.writestr(told, held)
        new.comment = old.comment
    body = out.getvalue()
    if old.comment.startswith(b"sha256:"):
        body = body[:-64]
        body += hashlib.sha256(body).hexdigest().encode()
    return body


# -- readers --------------------------------------------------------------------------------------
def read(kind: str, files: dict[str, bytes], *, sealed: bool, home: Path) -> str:
    """What reading damaged files comes to: refused, or the digest of its answers."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _answers(kind, files, sealed=sealed, home=home)
    except PellucidError:
        return "refused"
    except Exception as error:
        return f"raised {type(error).__name__}: {error}"[:200]


def _answers(kind: str, files: dict[str, bytes], *, sealed: bool, home: Path) -> str:
    if kind == "model":
        folder = Path(tempfile.mkdtemp(dir=home)) / "model"
        if sealed:
            save_files(folder, files)
        else:
            whole, changed = files["whole"], files["changed"]  # type: ignore[misc]
            save_files(folder, whole)
            for name, data in changed.items():
                (folder / name).write_bytes(data)
        model = load_predictor(folder)
        return _digest(model.ensemble.margins(model.background))
    if kind == "explanation":
        told = explanation_from_bytes(files["e.zip"])
        return _digest(told.values, told.base_values, told.data.to_json().encode())
    if kind == "trees":
        return _digest(trees_from_bytes(next(iter(files.values()))).value)
    if kind == "trial":
        trial, _ = trial_from_files(files)
        if "members.zip" in files:
            trial_ensemble(trial, files["members.zip"], n_outputs=1)
        return _digest(np.zeros(0) if trial.margins is None else trial.margins)
    name, data = next(iter(files.items()))
    path = Path(tempfile.mkdtemp(dir=home)) / name
    path.write_bytes(data)
    return _digest(read_table(path).to_json().encode())


def _digest(*parts: object) -> str:
    held = hashlib.sha256()
    for part in parts:
        held.update(part if isinstance(part, bytes) else np.ascontiguousarray(part).tobytes())
    return held.hexdigest()


# -- the run --------------------------------------------------------------------------------------
def one(kind: str, corpus: dict[str, bytes], seed: int) -> tuple[dict[str, bytes], bool, int]:
    """Damaged files of one seed, whether their digests are right, and the bytes they have."""
    rng = random.Random(f"{kind} {seed}")
    name = rng.choice(sorted(corpus))
    sealed = kind not in ("model", "explanation", "trees") or rng.random() < 0.5
    if not sealed:
        changed = damage(corpus[name], rng)
        if kind == "model":
            return {"whole": corpus, "changed": {name: changed}}, False, len(changed)  # type: ignore
        return {name: changed}, False, len(changed)
    changed = attack(name, corpus[name], rng)
    return {**corpus, name: changed}, True, len(changed)


def _child(kind: str, corpus: dict[str, bytes], seeds: range, home: str, told: object) -> None:
    faulthandler.enable()
    with tempfile.TemporaryDirectory(dir=home) as scratch:
        intact = _digest_of_intact(kind, corpus, Path(scratch))
        for seed in seeds:
            files, sealed, size = one(kind, corpus, seed)
            told.send(("begin", seed, sealed, size))  # type: ignore[attr-defined]
            answer = read(kind, files, sealed=sealed, home=Path(scratch))
            same = answer == intact
            told.send(("end", seed, "same" if same else answer, size))  # type: ignore[attr-defined]
    told.close()  # type: ignore[attr-defined]


def _digest_of_intact(kind: str, corpus: dict[str, bytes], home: Path) -> str:
    return read(kind, corpus, sealed=True, home=home)


def batch(kind: str, corpus: dict[str, bytes], seeds: range, home: str) -> tuple[Counter, list]:
    """Outcomes of one child's seeds, and what was wrong."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(kind, corpus, seeds, home, theirs))
    child.start()
    theirs.close()
    counts: Counter = Counter()
    wrong: list = []
    seed, sealed = seeds[0], True
    while True:
        try:
            if not ours.poll(_HANG):
                wrong.append((kind, seed, "hang"))
                counts["hung"] += 1
                child.kill()
                break
            message = ours.recv()
        except EOFError:
            child.join()
            if child.exitcode:
                wrong.append((kind, seed, f"died with {child.exitcode}"))
                counts["died"] += 1
            break
        if message[0] == "begin":
            _, seed, sealed, size = message
            counts["bytes"] += size
            continue
        answer = message[2]
        counts["tried"] += 1
        if answer == "refused":
            counts["refused"] += 1
        elif answer == "same":
            counts["same"] += 1
        elif answer.startswith("raised"):
            counts["raised"] += 1
            wrong.append((kind, seed, answer))
        elif sealed:
            counts["another model, by right digests"] += 1
        else:
            counts["silently other"] += 1
            wrong.append((kind, seed, "silently other"))
    child.join()
    return counts, wrong


def main() -> None:
    """Fuzz for a while, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        corpus = make_corpus(Path(home))
        corpus["model"] = dict(corpus["model"])
        total: dict[str, Counter] = {kind: Counter() for kind in corpus}
        wrong: list = []
        until, first = time.monotonic() + options.seconds, options.seed
        while time.monotonic() < until:
            for kind, files in corpus.items():
                counts, found = batch(kind, files, range(first, first + _BATCH), home)
                total[kind] += counts
                wrong += found
            first += _BATCH
    columns = ("tried", "bytes", "refused", "same", "another model, by right digests", "raised")
    columns = (*columns, "silently other", "died", "hung")
    print(f"{'':<16}" + "".join(f"{column.split(',')[0]:>16}" for column in columns))
    for kind, counts in total.items():
        print(f"{kind:<16}" + "".join(f"{counts[column]:>16}" for column in columns))
    for kind, seed, what in wrong[:40]:
        print(f"{kind} {seed}: {what}")
    if options.json:
        options.json.write_text(json.dumps({"counts": total, "wrong": wrong}, indent=1))


if __name__ == "__main__":
    main()
