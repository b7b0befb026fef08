"""A service that changes its model again and again does not grow."""

import platform
import subprocess
import sys

import pytest

CODE = """
import numpy as np
from pellucid.serve.memory import map_large_arrays

def resident():
    status = open("/proc/self/status").read()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024

map_large_arrays()
model, kept, sizes = None, [], []
for _ in range(6):  # a model is compiled beside the old one, and small things stay between
    tables = [np.ones(n * 2**17) for n in (20, 25, 15)]
    kept.append([bytes(2000) for _ in range(500)])
    model, tables = np.ones(22 * 2**17), None
    kept.append([bytes(2000) for _ in range(500)])
    sizes.append(resident())
print(sizes[-1] - sizes[0])
"""


def grown():
    """Megabytes after five changes of model."""
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    return float(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="how glibc keeps memory")
def test_large_arrays_are_given_back():
    # without it some 100 MB stay, in layouts of memory that not every run comes to
    assert grown() < 20
