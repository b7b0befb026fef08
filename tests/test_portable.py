"""What other systems lack is not needed to import, and texts are UTF-8 wherever they are read."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import pellucid

SOURCES = sorted(Path(pellucid.__file__).parent.rglob("*.py"))

# Windows has none of these, macOS lacks some; libraries come first, since they look where they are
HIDDEN = """
import importlib, os, pkgutil, signal, sys

def import_all():
    import pellucid
    for found in pkgutil.walk_packages(pellucid.__path__, "pellucid."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)

import_all()
for name in [name for name in sys.modules if name.partition(".")[0] == "pellucid"]:
    del sys.modules[name]
for name in ("fcntl", "grp", "pwd", "resource", "termios", "uvloop"):
    sys.modules[name] = None  # import raises ImportError
for module, names in {
    os: ["WNOHANG", "fork", "getpgid", "killpg", "mkfifo", "register_at_fork", "sched_getaffinity",
         "sched_setaffinity", "setsid", "sysconf"],
    signal: ["SIGKILL", "SIG_BLOCK", "SIG_UNBLOCK", "pthread_sigmask"],
}.items():
    for name in names:
        delattr(module, name)
import_all()
"""


def test_every_module_is_imported_without_what_is_of_linux():
    pytest.importorskip("starlette")
    done = subprocess.run(
        [sys.executable, "-c", HIDDEN], capture_output=True, encoding="utf-8", timeout=300
    )
    assert done.returncode == 0, done.stderr


def test_every_text_file_is_read_and_written_with_an_encoding():
    found = [
        f"{path.name}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if node.func.attr in ("read_text", "write_text")
        if len(node.args) + len(node.keywords) < (1 if node.func.attr == "read_text" else 2)
    ]
    assert not found


def test_a_process_is_known_to_live_and_to_have_ended():
    from pellucid.store.process import is_gone, own_token, token_of

    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    token = token_of(child.pid)
    assert not is_gone(own_token())
    assert not is_gone(token)
    child.communicate(b"\n")
    assert is_gone(token)
