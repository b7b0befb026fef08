"""Do the tests of what explains and of what checks notice when it is wrong.

Each mutant is one function of the Python of `pellucid.shapley` (not the Numba loops, whose machine
code would be compiled anew each time), of the certificate or of the alignment of tables, with one
sign, comparison, constant or condition changed. A forked child takes the changed code in and runs
the tests of that module; a mutant that they let pass has survived. Words of messages are left
alone. Which mutants are tried, and in which order, is drawn by a seed. Run::

    python benchmarks/mutation.py                 # 60 mutants
    python benchmarks/mutation.py --mutants 400 --minutes 25 --seed 1 --json FILE
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import importlib
import inspect
import io
import json
import os
import random
import resource
import signal
import sys
import time
from collections import Counter
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parent.parent
os.environ["OMP_NUM_THREADS"] = "1"  # threads of a team would be missing after a fork
TESTS = {  # the modules below pellucid, and the files below tests that are to notice
    "explain.certificate": ["explain/test_certificate"],
    "serve.strict_json": ["serve/test_strict_json", "serve/test_quick_json"],
    "shapley.additive": ["shapley/test_additive"],
    "shapley.additivity": ["shapley/test_additivity"],
    "shapley.coalitions": ["shapley/test_sampling", "shapley/test_regression"],
    "shapley.enumeration": ["shapley/test_sampling"],
    "shapley.files": ["shapley/test_files", "shapley/test_sound"],
    "shapley.linear": ["shapley/test_linear"],
    "shapley.permutations": ["shapley/test_sampling"],
    "shapley.players": ["shapley/test_rows", "shapley/test_linear", "shapley/test_additive"],
    "shapley.regression": ["shapley/test_regression", "shapley/test_sampling"],
    "shapley.rows": ["shapley/test_rows", "shapley/test_linear"],
    "shapley.sampling": ["shapley/test_sampling"],
    "shapley.sharing": ["shapley/test_sharing"],
    "shapley.sound": ["shapley/test_files", "shapley/test_sound"],
    "shapley.trees": ["shapley/test_sound", "shapley/test_readers"],
    "tabular.align": ["tabular/test_align"],
}
SLOW = "not end_no_process"
_PATIENCE = 600  # seconds, beyond which a child that does nothing is ended
_BROKEN = 99  # exit code of a child that could not take the mutant in
SECONDS = 60  # of CPU that the tests of a mutant may take; an endless loop is noticed
SWAPS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Lt: ast.LtE,
    ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.And: ast.Or, ast.Or: ast.And, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip


def places(tree):
    """Nodes of functions that a mutant can change, with the name of their function."""
    found = []

    def visit(node, name, inside):
        if isinstance(node, (ast.Raise, ast.JoinedStr, ast.AnnAssign, ast.arguments)):
            return
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            if inside:  # a closure: its code cannot be put in from outside
                return
            name = f"{name}.{node.name}" if name else node.name
            inside = isinstance(node, ast.FunctionDef)
            children = node.body
        else:
            children = ast.iter_child_nodes(node)
        if inside and changed(copy.deepcopy(node)):
            found.append((node, name))
        for child in children:
            visit(child, name, inside)

    visit(tree, "", False)
    return found


def changed(node):
    """Change one node in place; give what was done, or "" if nothing can be."""
    if isinstance(node, (ast.BinOp, ast.BoolOp)) and type(node.op) in SWAPS:
        before, node.op = type(node.op), SWAPS[type(node.op)]()
        return f"{before.__name__} -> {type(node.op).__name__}"
    if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
        before, node.ops[0] = type(node.ops[0]), SWAPS[type(node.ops[0])]()
        return f"{before.__name__} -> {type(node.ops[0]).__name__}"
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        before, node.value = node.value, node.value + 1
        return f"{before} -> {node.value}"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
        before, node.op = type(node.op), ast.UAdd()
        return f"{before.__name__} is gone"
    return ""


def code_of(tree, name):
    """The code of a function of a module, by its qualified name."""
    rest = [compile(tree, "<mutant>", "exec")]
    while rest:
        code = rest.pop()
        if code.co_qualname == name:
            return code
        rest += [each for each in code.co_consts if hasattr(each, "co_code")]
    raise LookupError(name)


def function_of(module, name):
    """The function itself, under properties too."""
    found = module
    for part in name.split("."):
        found = vars(found)[part]
    if isinstance(found, property):
        return found.fget
    found = found.func if isinstance(found, cached_property) else getattr(found, "__func__", found)
    return inspect.unwrap(found)


def short_of(module):
    """The name of a module below the package."""
    return module.__name__.removeprefix("pellucid.")


def run_tests(short):
    """Run the tests of a module; 0 when all pass."""
    import pytest

    files = [str(ROOT / f"tests/{name}.py") for name in TESTS[short]]
    with contextlib.redirect_stdout(io.StringIO()):
        return int(
            pytest.main(
                ["-x", "-q", "-k", SLOW, "-p", "no:cacheprovider", "-p", "no:faulthandler", *files]
            )
        )


def outcome(short, name="", code=None):
    """What the tests of a module say of a mutant: 0 when all pass, other numbers, or "hung"."""
    child = os.fork()
    if child == 0:
        ended = _BROKEN
        try:
            used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
            resource.setrlimit(resource.RLIMIT_CPU, (int(used) + SECONDS,) * 2)
            signal.alarm(_PATIENCE)
            if code is not None:
                function_of(sys.modules[f"pellucid.{short}"], name).__code__ = code
            ended = run_tests(short)
        finally:
            os._exit(ended)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if ended == _BROKEN:
        sys.exit(f"the code of {name} cannot be put in")
    return "hung" if ended == -signal.SIGALRM else ended


def main():
    """Draw mutants, try them, and print which survived."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mutants", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="then no more is tried")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    os.chdir(ROOT)
    mutants = []
    for short in TESTS:
        module = importlib.import_module(f"pellucid.{short}")
        source = Path(module.__file__).read_text()
        for at, (_, name) in enumerate(places(ast.parse(source))):
            mutants.append((module, source, at, name))
    drawn = random.Random(given.seed).sample(mutants, min(given.mutants, len(mutants)))
    tried, killed, survivors, sound = Counter(), Counter(), [], set()
    until = time.monotonic() + 60 * given.minutes
    for module, source, at, name in drawn:
        if time.monotonic() > until:
            break
        short = short_of(module)
        # no test runs in this process: what starts threads would hang in those forked from it
        if short not in sound and outcome(short):
            sys.exit(f"the tests of {short} fail without a change; mend that first")
        sound.add(short)
        tree = ast.parse(source)
        node, _ = places(tree)[at]
        what = changed(node)
        ended = outcome(short, name, code_of(tree, name))
        if ended == "hung":  # without using the processor: says nothing
            print("hung", f"{short}:{node.lineno} {name}: {what}", flush=True)
            continue
        lived = ended == 0
        tried[short] += 1
        killed[short] += not lived
        if lived:
            survivors.append(f"{short}:{node.lineno} {name}: {what}")
            print("survived", survivors[-1], flush=True)
    for short in sorted(tried):
        print(f"{short:20} {killed[short]:4} of {tried[short]:4}")
    total, dead = sum(tried.values()), sum(killed.values())
    print(
        f"{dead} of {total} mutants were noticed ({100 * dead / total:.0f} %), "
        f"drawn of {len(mutants)}"
    )
    if given.json:
        facts = {"tried": tried, "killed": killed, "survivors": survivors}
        given.json.write_text(json.dumps(facts, indent=1))


if __name__ == "__main__":
    main()
