import shutil
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest
import typer
from cryptography.hazmat.primitives import serialization as pem
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from pellucid.cli.app import app
from pellucid.serve.holder import Holder, source_of
from pellucid.store.artifacts import SIGNATURE, ArtifactError, load_predictor, save_predictor
from pellucid.store.registry import load
from pellucid.store.runs import Store, load_run
from pellucid.store.signing import SignatureError, sign, verify_signature
from pellucid.view.studio.library import Library

COMMANDS = {  # with what each is asked for; RUN and MODEL are put in
    "show": ("RUN",),
    "explain": ("RUN", "rows.csv", "-o", "why.csv"),
    "predict": ("RUN", "rows.csv"),
    "report": ("RUN",),
    "card": ("RUN",),
    "replay": ("RUN", "rows.csv"),
    "verify": ("RUN",),
    "verify-signature": ("RUN",),
    "register": ("RUN", "again"),
    "compare": ("MODEL", "MODEL"),
    "whatif": ("RUN", "rows.csv", "--set", "age=30"),
    "counterfactual": ("RUN", "rows.csv"),
    "diff": ("RUN", "RUN", "rows.csv"),
    "serve": ("MODEL", "--port", "0"),
    "bundle": ("MODEL", "-o", "bundle"),
    "monitor": ("MODEL", "--log", "log"),
    "onnx": ("MODEL", "-o", "model.onnx"),
}
READ_NOTHING = {"train", "runs", "models", "promote", "sign", "warmup", "demo"}


def write_keys(home, name, key=None):
    key = key or Ed25519PrivateKey.generate()
    private = key.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, pem.NoEncryption())
    public = key.public_key().public_bytes(pem.Encoding.PEM, pem.PublicFormat.SubjectPublicKeyInfo)
    (home / f"{name}.pem").write_bytes(private)
    (home / f"{name}.pub").write_bytes(public)


@pytest.fixture(scope="module")
def home(tmp_path_factory, trained):
    folder = tmp_path_factory.mktemp("signing")
    for name in ("ours", "theirs"):
        write_keys(folder, name)
    (folder / "both.pub").write_bytes(
        (folder / "theirs.pub").read_bytes() + (folder / "ours.pub").read_bytes()
    )
    save_predictor(trained.predictor_, folder / "model")
    sign(folder / "model", folder / "ours.pem")
    return folder


@pytest.fixture(scope="module")
def unsigned(home, trained):
    """A run, registered, that nobody signed."""
    writer = Store(home / "store").begin(name="unsigned", params={})
    run = writer.finish(predictor=trained.predictor_, explanation=None, training=trained.training_)
    run.register("unsigned")
    return run


def test_a_signed_model_loads_for_those_who_trust_its_key(home):
    for trust in ("ours.pub", "both.pub"):
        assert load_predictor(home / "model", trust=home / trust).classes is not None
    assert load_predictor(home / "model").classes is not None
    assert list(verify_signature(home / "model", home / "both.pub")) == [home / "model"]


def test_what_another_key_signed_or_nobody_is_refused(home, tmp_path):
    with pytest.raises(SignatureError, match=r"is signed by the key .* trusts"):
        load_predictor(home / "model", trust=home / "theirs.pub")
    shutil.copytree(home / "model", tmp_path / "model")
    (tmp_path / "model" / SIGNATURE).unlink()
    with pytest.raises(SignatureError, match="is not signed"):
        load_predictor(tmp_path / "model", trust=home / "ours.pub")
    with pytest.raises(SignatureError, match="is not signed"):
        source_of(str(tmp_path / "model"), trust=home / "ours.pub").load()


def test_a_change_is_refused_by_signature_and_by_digest(home, tmp_path, trained):
    save_predictor(trained.predictor_, tmp_path / "other")
    (tmp_path / "other" / "schema.json").write_bytes(b"{}")
    shutil.copy(home / "model" / SIGNATURE, tmp_path / "other")
    with pytest.raises(ArtifactError, match="damaged"):  # the manifest is the signed one
        load_predictor(tmp_path / "other", trust=home / "ours.pub")
    manifest = tmp_path / "other" / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b"0.1", b"0.2"))
    with pytest.raises(SignatureError, match="changed after it was signed"):
        load_predictor(tmp_path / "other", trust=home / "ours.pub")
    for content in (b"", b"{}", b"[1]", b'{"format": 1, "key": 3, "ed25519": "?"}', b"x" * 70_000):
        (tmp_path / "other" / SIGNATURE).write_bytes(content)
        with pytest.raises(SignatureError, match="is no signature"):
            load_predictor(tmp_path / "other", trust=home / "ours.pub")


def test_keys_that_cannot_be_used_are_named(home, tmp_path):
    write_keys(tmp_path, "curve", generate_private_key(SECP256R1()))
    (tmp_path / "none.pem").write_text("no key")
    for key, reason in (
        (tmp_path / "curve.pem", "of another kind"),
        (tmp_path / "none.pem", "no private key"),
        (tmp_path / "absent.pem", "there is no key file"),
        (home / "ours.pub", "no private key"),
    ):
        with pytest.raises(SignatureError, match=reason):
            sign(home / "model", key)
    for trust in (tmp_path / "curve.pub", tmp_path / "none.pem", home / "ours.pem"):
        with pytest.raises(SignatureError, match="must hold public Ed25519 keys"):
            load_predictor(home / "model", trust=trust)


def test_runs_and_registered_models_from_the_command_line(home, tmp_path, trained):
    store = tmp_path / "store"
    writer = Store(store).begin(name="signed", params={})
    run = writer.finish(predictor=trained.predictor_, explanation=None, training=trained.training_)
    version = run.register("signed", alias="champion")
    runner, key, trust = CliRunner(), str(home / "ours.pem"), str(home / "ours.pub")
    with pytest.raises(SignatureError, match="is not signed"):
        load("signed@champion", store=store, trust=trust)
    told = runner.invoke(app, ["sign", "signed@champion", "--key", key, "--store", str(store)])
    assert "signed " in told.output
    assert load("signed@champion", store=store, trust=trust).classes is not None
    source = source_of(str(version), store=store, trust=trust)
    assert Holder(source, every=0).current.version == str(version.version)
    arguments = ["verify-signature", run.id, "--trust", trust, "--store", str(store)]
    refused = runner.invoke(app, arguments)  # the registered model alone is signed
    assert refused.exit_code != 0
    assert "is not signed" in " ".join(refused.stderr.split())
    assert runner.invoke(app, ["sign", run.id, "--key", key, "--store", str(store)]).exit_code == 0
    # model, results, and the registered model with the folder in it
    assert runner.invoke(app, arguments).output.count("signed it") == 4
    assert run.training


def test_a_run_gives_nothing_that_no_trusted_key_signed(home, unsigned, people):
    store, trust = unsigned.store.location.folder, home / "ours.pub"
    run = load_run(unsigned.id, store=store, trust=trust)
    for read in (lambda: run.training, run.model, run.explanation, run.card, run.show):
        with pytest.raises(SignatureError, match="is not signed"):
            read()
    with pytest.raises(SignatureError, match="is not signed"):
        Library(Store(store, trust=trust)).page(run)
    copied = home / "signed"
    shutil.copytree(store, copied)
    sign(unsigned.id, home / "ours.pem", store=copied)
    told = load_run("latest", store=copied, trust=trust)
    rows, _ = people(20)
    assert told.training["target"] == unsigned.training["target"]
    assert (told.model().predict(rows) == unsigned.model().predict(rows)).all()
    with pytest.raises(SignatureError, match="is signed by the key"):
        load_run("latest", store=copied, trust=home / "theirs.pub").model()


def test_every_command_that_reads_a_model_takes_trust():
    commands = typer.main.get_command(app).commands
    taking = {n for n, c in commands.items() if any("--trust" in p.opts for p in c.params)}
    assert taking == commands.keys() - READ_NOTHING == COMMANDS.keys() | {"studio"}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_reads_nothing_that_no_trusted_key_signed(home, unsigned, people, command):
    rows, y = people(20)
    pd.concat([rows, y], axis=1).to_csv("rows.csv", index=False)
    names = {"RUN": unsigned.id, "MODEL": "unsigned/1"}
    words = [names.get(word, word) for word in COMMANDS[command]]
    store = ["--store", str(unsigned.store.location.folder)]
    asked = [command, *words, *store, "--trust", str(home / "ours.pub")]
    with ThreadPoolExecutor(1) as pool:  # a test before may have left its event loop running here
        done = pool.submit(CliRunner().invoke, app, asked).result()
    assert done.exit_code != 0
    assert "is not signed" in " ".join(done.output.split())


def test_a_model_in_a_file_has_no_signature(home, tmp_path, people):
    people(5)[0].to_csv("rows.csv", index=False)
    (tmp_path / "model.txt").write_text("tree")
    words = ["explain", "model.txt", "rows.csv", "-o", "why.csv", "--trust", "keys.pem"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code != 0
    assert "model.txt has no signature" in " ".join(done.output.split())
