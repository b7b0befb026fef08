"""Kill, starve, lock and damage Pellucid while it works, and see that nothing is lost or half done.

    python benchmarks/faults.py --json faults.json       # some ten minutes on two cores
    python benchmarks/faults.py --quick

Each kill is SIGKILL at a random moment of a process that saves, stores, registers, explains a
folder, trains or serves. After each, everything that can be seen must be whole: folders load,
finished runs answer, versions have models, and what was cut off goes on to the same bytes. A full
disk and a read-only one need leave to mount a small tmpfs, and are left out where there is none.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

import pellucid
from pellucid import AutoMLClassifier
from pellucid.automl.verify import rescore
from pellucid.errors import PellucidError, PellucidWarning
from pellucid.explain.explanation import Explanation
from pellucid.explain.stream import explain_parquet
from pellucid.store.artifacts import load_predictor, save_predictor
from pellucid.store.registry import Registry
from pellucid.store.runs import Store, load_run

OPTIONS = {
    "time_budget": None,
    "max_trials": 3,
    "n_jobs": 1,
    "allowed_families": ["linear", "lightgbm"],
}


@dataclass
class Outcome:
    """What a fault was done how often, and what was wrong after it."""

    fault: str
    done: int
    wrong: list[str]
    note: str = ""


def table(n: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows to learn from."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"age": rng.integers(18, 80, n), "job": rng.choice(["cook", "clerk"], n)})
    return X, np.where(X["age"] + 20 * (X["job"] == "cook") > 55, "yes", "no")


@dataclass
class Bench:
    """A fitted model, a scratch folder, and a source of chance."""

    home: Path
    clf: AutoMLClassifier
    rng: random.Random

    def killed(self, work: Callable[[], None], *, most: float) -> None:
        """Do something in a child for a random while, then kill it."""
        child = os.fork()
        if child == 0:
            try:
                sys.stderr = open(os.devnull, "w")  # noqa: SIM115
                work()
            finally:
                os._exit(0)
        time.sleep(self.rng.uniform(0, most))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


# -- kills ----------------------------------------------------------------------------------------
def saving(bench: Bench, times: int) -> Outcome:
    """Folders of models and files of explanations."""
    home, wrong = bench.home / "saving", []
    home.mkdir()
    model, explanation = bench.clf.predictor_, bench.clf.explanation_
    assert explanation is not None
    explanation.save(home / "e.zip")

    def work() -> None:
        for i in range(10_000):
            save_predictor(model, home / f"m{os.getpid()}-{i}")
            explanation.save(home / "e.zip")

    for _ in range(times):
        bench.killed(work, most=0.3)
        try:
            Explanation.load(home / "e.zip")
            for folder in home.glob("m*"):
                load_predictor(folder)
                shutil.rmtree(folder)
        except PellucidError as error:
            wrong.append(str(error))
    return Outcome("kill -9 while saving", times, wrong)


def storing(bench: Bench, times: int) -> Outcome:
    """Runs with their results."""
    home, wrong = bench.home / "storing", []
    facts = bench.clf.training_

    def work() -> None:
        for i in range(1000):
            writer = Store(home).begin(name=f"run {i}", params={"a": i})
            writer.finish(
                predictor=bench.clf.predictor_, explanation=bench.clf.explanation_, training=facts
            )

    finished = 0
    for _ in range(times):
        bench.killed(work, most=1.5)
        runs, before = Store(home).runs() if home.exists() else [], finished
        finished = sum(run.status == "FINISHED" for run in runs)
        if finished < before:
            wrong.append(f"{before} finished runs became {finished}")
        for run in runs[:5]:
            if run.status == "FINISHED":
                wrong += [check.said for check in rescore(run) if check.equal is False]
            elif run.status != "KILLED":
                wrong.append(f"run {run.id} is {run.status} though its process is dead")
        if len(runs) > 12:
            shutil.rmtree(home)
            finished = 0
    return Outcome("kill -9 while storing runs", times, wrong)


def registering(bench: Bench, times: int) -> Outcome:
    """Versions of a model, and where an alias points."""
    home, wrong = bench.home / "registering", []
    writer = Store(home).begin(name="one", params={})
    run = writer.finish(
        predictor=bench.clf.predictor_, explanation=None, training=bench.clf.training_
    )
    first = Registry(Store(home)).register(run, "bank", alias="champion")
    newest = first.version

    def work() -> None:
        loaded = load_run(run.id, store=home)
        for _ in range(1000):
            loaded.register("bank", alias="champion")

    for _ in range(times):
        bench.killed(work, most=1.0)
        registry = Registry(Store(home))
        versions = registry.versions("bank")
        if max(each.version for each in versions) < newest:
            wrong.append("a version is lost")
        newest = max(each.version for each in versions)
        try:
            registry.get("bank@champion").model()
            registry.get(f"bank/{newest}").model()
        except PellucidError as error:
            wrong.append(str(error))
    return Outcome("kill -9 while registering", times, wrong, f"{newest} versions")


def explaining(bench: Bench, times: int) -> Outcome:
    """A folder of Parquet files, gone on with after each kill."""
    home, wrong = bench.home / "explaining", []
    source = home / "source"
    source.mkdir(parents=True)
    X, _ = table(2000)
    for i in range(8):
        X.to_parquet(source / f"part-{i}.parquet")
    model = bench.clf.predictor_
    explain_parquet(model, source, home / "whole", rows_per_chunk=500)
    expected = {p.name: p.read_bytes() for p in (home / "whole").glob("*.parquet")}

    def work() -> None:
        explain_parquet(model, source, home / "target", rows_per_chunk=500)

    resumed = 0
    for turn in range(times):
        bench.killed(work, most=0.4)
        seen = {p.name: p.read_bytes() for p in (home / "target").glob("*.parquet")}
        wrong += [f"{name} is other" for name in seen if seen[name] != expected[name]]
        if turn % 4 == 3 or len(seen) == len(expected):
            resumed += explain_parquet(model, source, home / "target", rows_per_chunk=500).resumed
            found = {p.name: p.read_bytes() for p in (home / "target").glob("*.parquet")}
            if found != expected:
                wrong.append("what was gone on with differs")
            shutil.rmtree(home / "target")
    return Outcome("kill -9 while explaining a folder", times, wrong, f"{resumed} files kept")


_TRAIN = """
import sys, numpy as np, pandas as pd, pellucid
table = pd.read_parquet(sys.argv[1])
pellucid.AutoMLClassifier(time_budget=None, max_trials=30, n_jobs=1, store=sys.argv[2]).fit(
    table.drop(columns="y"), table["y"])
"""


def training(bench: Bench, times: int) -> Outcome:
    """A search, which goes on from its trials, and whose workers end with it."""
    home, wrong, kept, others = bench.home / "training", [], 0, _workers_left()
    home.mkdir()
    X, y = table(300)
    X.assign(y=y).to_parquet(home / "t.parquet")
    for turn in range(times):
        store = home / f"store{turn}"
        words = [sys.executable, "-W", "ignore", "-c", _TRAIN, str(home / "t.parquet"), str(store)]
        process = subprocess.Popen(words, stderr=subprocess.DEVNULL, start_new_session=True)
        until, least = time.monotonic() + 60, bench.rng.randrange(4)
        while len(_kept(store)) < least and time.monotonic() < until:  # trials that had ended
            time.sleep(0.1)
        time.sleep(bench.rng.uniform(0.0, 1.5))
        process.kill()
        process.wait()
        if not store.exists():
            continue
        runs = Store(store).runs()
        wrong += [
            f"{run.id} is {run.status}" for run in runs if run.status not in ("KILLED", "FINISHED")
        ]
        for run in runs[:1]:
            n = len(run.trials())
            if run.status == "KILLED" and n and turn % 3 == 0:
                kept += n
                options = {**OPTIONS, "max_trials": n + 1, "allowed_families": None}
                again = AutoMLClassifier(**options, store=str(store), resume=run.id).fit(X, y)
                names = again.leaderboard_
                if len(names) < n + 1:  # trials and the ensemble
                    wrong.append(f"{n} trials were kept, {len(names)} on the board")
        shutil.rmtree(store)
    until = time.monotonic() + 15
    while left := _workers_left() - others:
        if time.monotonic() < until:
            time.sleep(0.5)
            continue
        wrong.append(f"workers that outlived their search: {sorted(left)}")
        break
    return Outcome("kill -9 while training", times, wrong, f"{kept} trials gone on from")


def _kept(store: Path) -> list[Path]:
    return [path for path in store.rglob("trials/*/manifest.json") if ".tmp" not in str(path)]


def _workers_left() -> set[int]:
    """Workers without a parent, which should have ended."""
    left = set()
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            words = (place / "cmdline").read_bytes()
            parent = (place / "stat").read_text().rpartition(")")[2].split()[1]
            if b"LokyProcess" in words and parent == "1":
                left.add(int(place.name))
    return left


def worker_kills(bench: Bench, times: int) -> Outcome:
    """A trial's process, as the system ends it when memory is short: it costs that trial alone."""
    wrong = []
    X, y = table(300)
    for _ in range(times):
        stop = threading.Event()

        def shoot(stop: threading.Event = stop) -> None:
            time.sleep(bench.rng.uniform(1.0, 4.0))
            for place in Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError, IndexError):
                    parent = (place / "stat").read_text().rpartition(")")[2].split()[1]
                    if parent == str(os.getpid()) and b"loky" in (place / "cmdline").read_bytes():
                        os.kill(int(place.name), signal.SIGKILL)
                        stop.set()
                        return

        thread = threading.Thread(target=shoot)
        thread.start()
        try:
            model = AutoMLClassifier(**{**OPTIONS, "max_trials": 8}, store=False).fit(X, y)
            if not len(model.predict(X)):
                wrong.append("no predictions")
        except PellucidError as error:
            wrong.append(str(error))
        thread.join()
    return Outcome("kill -9 of a trial's process", times, wrong)


def serving(bench: Bench, times: int) -> Outcome:
    """Workers of a service under requests."""
    folder = bench.home / "served"
    save_predictor(bench.clf.predictor_, folder)
    with _service(folder, bench.home / "service.log") as (process, url):
        asked = failed = 0
        for _ in range(times):
            workers = _children(process.pid)
            victim = bench.rng.choice(workers)
            os.kill(victim, signal.SIGKILL)
            until = time.monotonic() + 1.5
            while time.monotonic() < until:
                asked += 1
                failed += not _ask(url)
        back = time.monotonic()
        while not (alive := _ask(url)) and time.monotonic() < back + 30:
            time.sleep(0.1)
        back = time.monotonic() - back
    wrong = [] if alive else ["the service does not answer"]
    if failed > 0.01 * asked:
        wrong.append(f"{failed} of {asked} requests failed")
    return Outcome(
        "kill -9 of a service's worker",
        times,
        wrong,
        f"{failed} of {asked} failed, back in {back:.1f} s",
    )


@contextlib.contextmanager
def _service(folder: Path, log: Path) -> Iterator[tuple[subprocess.Popen, str]]:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    words = [sys.executable, "-m", "pellucid", "serve", str(folder), "--port", str(port)]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*words, "--workers", "2", "--max-wait", "30"], stdout=out, stderr=out
        )
    url = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 60
        while not _ask(url) and time.monotonic() < until:
            time.sleep(0.2)
        yield process, url
    finally:
        process.terminate()
        process.wait(30)


def _ask(url: str) -> bool:
    body = json.dumps([{"age": 40, "job": "cook"}]).encode()
    request = urllib.request.Request(
        f"{url}/score", body, {"Content-Type": "application/json"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status == 200
    except OSError:
        return False


def _children(pid: int) -> list[int]:
    """Processes of the service, whichever way they were started."""
    found, parents = [], {}
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            facts = (place / "stat").read_text().rpartition(")")[2].split()
            words = (place / "cmdline").read_bytes()
            if b"resource_tracker" not in words:
                parents[int(place.name)] = int(facts[1])
    for child, parent in parents.items():
        if parent == pid:
            found.append(child)
    return found


# -- disks, locks, clocks, versions ---------------------------------------------------------------
@contextlib.contextmanager
def _tmpfs(place: Path, size: str) -> Iterator[bool]:
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], capture_output=True
    )
    try:
        yield done.returncode == 0
    finally:
        if done.returncode == 0:
            subprocess.run(["umount", "-l", str(place)], check=False, capture_output=True)


def disk_full(bench: Bench, times: int) -> Outcome:
    """A disk with a little less room each time: one error in words, nothing half-written."""
    wrong, place = [], bench.home / "small"
    with _tmpfs(place, "400k") as mounted:
        if not mounted:
            return Outcome("disk full", 0, [], "no leave to mount a tmpfs")
        for turn in range(times):
            (place / "ballast").write_bytes(bytes(390_000 - 9_000 * (turn % 40)))
            try:
                save_predictor(bench.clf.predictor_, place / "model")
                load_predictor(place / "model")
                shutil.rmtree(place / "model")
            except PellucidError:
                pass
            left = sorted(each.name for each in place.iterdir())
            if left != ["ballast"]:
                wrong.append(f"left behind: {left}")
        (place / "ballast").write_bytes(bytes(390_000))
        X, y = table(200)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            try:
                model = AutoMLClassifier(**OPTIONS, store=str(place / "store")).fit(X, y)
                said = [str(w.message) for w in told if issubclass(w.category, PellucidWarning)]
                if not said or len(model.predict(X)) != len(X):
                    wrong.append("trained on a full disk without a word")
            except PellucidError:
                pass
    return Outcome("disk full", times + 1, wrong)


def read_only(bench: Bench, times: int) -> Outcome:
    """A store that can be read: runs answer, a training says that it cannot be kept."""
    wrong, place = [], bench.home / "fixed"
    with _tmpfs(place, "20m") as mounted:
        if not mounted:
            return Outcome("read-only store", 0, [], "no leave to mount a tmpfs")
        writer = Store(place / "store").begin(name="one", params={})
        run = writer.finish(
            predictor=bench.clf.predictor_, explanation=None, training=bench.clf.training_
        )
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        load_run(run.id, store=place / "store").model()
        try:
            Store(place / "store").begin(name="two", params={})
            wrong.append("a read-only store was written to")
        except PellucidError:
            pass
        try:
            save_predictor(bench.clf.predictor_, place / "model")
            wrong.append("a read-only folder was written to")
        except PellucidError:
            pass
    return Outcome("read-only store", 2, wrong)


def locked(bench: Bench, times: int) -> Outcome:
    """A database that another process holds for a while, and for ever."""
    home, wrong = bench.home / "locked", []
    Store(home).begin(name="first", params={}).fail("done")
    for turn in range(times):
        holder = sqlite3.connect(home / "mlflow.db", check_same_thread=False)
        holder.execute("BEGIN EXCLUSIVE")
        free = threading.Timer(1.0, holder.rollback)
        if turn:
            free.start()
        try:
            Store(home).begin(name=f"run {turn}", params={}).fail("done")
            if not turn:
                wrong.append("a locked database was written to")
        except PellucidError as error:
            if turn:
                wrong.append(str(error))
        free.cancel()
        free.join() if turn else holder.rollback()
        holder.close()
    if len(Store(home).runs()) != times:
        wrong.append(f"{len(Store(home).runs())} runs, expected {times}")
    return Outcome("locked database", times, wrong)


_CLOCK = """
import sys, time, itertools, pandas as pd, pellucid
real, jumps = time.time, itertools.cycle((0, 86400, -86400, 10**8, -10**8))
time.time = lambda: real() + next(jumps)
table = pd.read_parquet(sys.argv[1])
clf = pellucid.AutoMLClassifier(time_budget=6, n_jobs=1, store=sys.argv[2])
started = time.monotonic()
clf.fit(table.drop(columns="y"), table["y"])
print(time.monotonic() - started, clf.run_.status)
"""


def clock_jumps(bench: Bench, times: int) -> Outcome:
    """The clock of the day jumps by days and years at each look; budgets are kept all the same."""
    wrong, took = [], []
    home = bench.home / "clock"
    home.mkdir()
    X, y = table(300)
    X.assign(y=y).to_parquet(home / "t.parquet")
    for turn in range(times):
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", _CLOCK, home / "t.parquet", home / f"s{turn}"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if not done.stdout.strip().endswith("FINISHED"):
            wrong.append(done.stderr[-300:])
            continue
        took.append(round(float(done.stdout.split()[0]), 1))
        Store(home / f"s{turn}").runs()
    return Outcome("clock that jumps", times, wrong, f"6 s budget took {took}")


def flipped(bench: Bench, times: int) -> Outcome:
    """Bits and cuts anywhere in a stored run: its answers are refused, and other runs are not."""
    home, wrong = bench.home / "flipped", []
    for name in ("one", "two"):
        Store(home).begin(name=name, params={}).finish(
            predictor=bench.clf.predictor_,
            explanation=bench.clf.explanation_,
            training=bench.clf.training_,
        )
    two, one = Store(home).runs()
    places = sorted(p for p in (home / "artifacts" / one.id).rglob("*") if p.is_file())
    for turn in range(times):
        place = places[turn % len(places)]
        good = place.read_bytes()
        at = bench.rng.randrange(len(good))
        bad = (
            good[:at]
            if turn % 5 == 4
            else good[:at] + bytes([good[at] ^ 1 << bench.rng.randrange(8)]) + good[at + 1 :]
        )
        place.write_bytes(bad)
        if all(check.equal is not False for check in rescore(load_run(one.id, store=home))):
            wrong.append(f"{place.name} at {at} went unseen")
        place.write_bytes(good)
        if turn % 50 == 0 and any(
            check.equal is False for check in rescore(load_run(two.id, store=home))
        ):
            wrong.append("the other run is damaged")
    return Outcome("bit flipped or cut in a stored run", times, wrong)


def versions_changed(bench: Bench, times: int) -> Outcome:
    """A run of other packages and of a later format: answered and told, or refused."""
    home, wrong = bench.home / "versions", []
    facts = {**bench.clf.training_, "versions": {"numpy": "1.0", "pellucid": "0.0.1"}}
    run = Store(home).begin(name="old", params={}).finish(
        predictor=bench.clf.predictor_, explanation=bench.clf.explanation_, training=facts
    )  # fmt: skip
    checks = {check.what: check for check in rescore(run)}
    if "then 1.0" not in checks["versions"].said or not checks["predictions"].equal:
        wrong.append(str(checks))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        plan = {**bench.clf.training_["plan"], "versions": facts["versions"]}
        pellucid.replay(plan, *table(300))
    if not any("instead of 1.0" in str(w.message) for w in told):
        wrong.append("a replay with other versions said nothing")
    return Outcome("package versions changed since saving", 2, wrong)


FAULTS: tuple[tuple[Callable[[Bench, int], Outcome], int, int], ...] = (
    (saving, 70, 6), (storing, 40, 4), (registering, 30, 3), (explaining, 50, 6), (training, 12, 1),
    (worker_kills, 5, 1), (serving, 12, 2), (disk_full, 60, 10), (read_only, 2, 2), (locked, 3, 2),
    (clock_jumps, 2, 1), (flipped, 400, 40), (versions_changed, 2, 2),
)  # fmt: skip


def main() -> None:
    """Do every fault, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few of each")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="one fault, by the name of its function")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="faults-") as home:
        X, y = table(300)
        clf = AutoMLClassifier(**OPTIONS, store=False).fit(X, y)
        gc.collect()  # pools that children would let go of a second time
        import mlflow  # noqa: F401 - children find it imported

        bench = Bench(Path(home), clf, random.Random(options.seed))
        for fault, full, few in FAULTS:
            if options.only not in (None, fault.__name__):
                continue
            outcome = fault(bench, few if options.quick else full)
            outcomes.append(outcome)
            verdict = f"WRONG {outcome.wrong[:3]}" if outcome.wrong else "ok"
            print(f"{outcome.fault:<40}{outcome.done:>5}  {verdict}  {outcome.note}", flush=True)
    kills = sum(outcome.done for outcome in outcomes if outcome.fault.startswith("kill"))
    print(f"{kills} kills, {sum(len(outcome.wrong) for outcome in outcomes)} wrong")
    if options.json:
        options.json.write_text(json.dumps([asdict(outcome) for outcome in outcomes], indent=1))
    sys.exit(any(outcome.wrong for outcome in outcomes))


if __name__ == "__main__":
    main()
