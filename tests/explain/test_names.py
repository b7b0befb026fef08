"""Every name of `pellucid.explain` has a home, and none is loaded before it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pellucid import explain
from pellucid.explain import _HOMES


@pytest.mark.parametrize("name", _HOMES)
def test_every_name_is_a_function_of_its_home(name):
    function = getattr(explain, name)
    assert callable(function)
    assert function.__module__ == f"pellucid.explain.{_HOMES[name]}"
    assert function.__name__ == name


def test_an_unknown_name_is_no_attribute():
    with pytest.raises(AttributeError, match="no attribute 'wat_if'"):
        explain.wat_if  # noqa: B018


def test_nothing_is_loaded_before_it_is_used():
    code = "import sys, pellucid.explain; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
