"""What Windows tells of a process: whether it lives, and when it began."""

from __future__ import annotations

import ctypes
import sys
from ctypes import wintypes
from typing import NamedTuple

_LIMITED = 0x1000  # PROCESS_QUERY_LIMITED_INFORMATION
_NO_SUCH = 87  # ERROR_INVALID_PARAMETER: no process has that number
_ACTIVE = 259  # STILL_ACTIVE


class Seen(NamedTuple):
    """Whether a process lives, as far as can be told, and its beginning; "" where it is not."""

    lives: bool
    began: str


def look_at(pid: int) -> Seen:
    """What there is to know of a process; its beginning is a FILETIME, a number of 100 ns."""
    if sys.platform != "win32":
        raise OSError("only Windows tells this")
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel.OpenProcess.argtypes = [wintypes.DWORD, wintypes.BOOL, wintypes.DWORD]
    kernel.OpenProcess.restype = wintypes.HANDLE
    kernel.GetExitCodeProcess.argtypes = [wintypes.HANDLE, wintypes.LPDWORD]
    moments = 4 * (ctypes.POINTER(wintypes.FILETIME),)
    kernel.GetProcessTimes.argtypes = [wintypes.HANDLE, *moments]
    kernel.CloseHandle.argtypes = [wintypes.HANDLE]
    process = kernel.OpenProcess(_LIMITED, False, pid)
    if not process:
        return Seen(ctypes.get_last_error() != _NO_SUCH, "")
    try:
        code = wintypes.DWORD()
        if kernel.GetExitCodeProcess(process, ctypes.byref(code)) and code.value != _ACTIVE:
            return Seen(False, "")
        began, *others = (wintypes.FILETIME() for _ in range(4))
        if not kernel.GetProcessTimes(process, *map(ctypes.byref, (began, *others))):
            return Seen(True, "")
        return Seen(True, str(began.dwHighDateTime << 32 | began.dwLowDateTime))
    finally:
        kernel.CloseHandle(process)
