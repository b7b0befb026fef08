"""What a user sees when something is wrong: one line, and an exit code."""

from __future__ import annotations

import os
import sys
import warnings
from typing import Any

import typer
from typer.core import TyperGroup

from pellucid.errors import PellucidError, PellucidWarning

USAGE, CRASH, INTERRUPTED = 2, 1, 130  # exit codes


class CommandError(PellucidError):
    """The command line asks for something that cannot be."""


class Commands(TyperGroup):
    """The commands, with every error as one line on standard error.

    PELLUCID_DEBUG=1 gives tracebacks instead.
    """

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        if os.environ.get("PELLUCID_DEBUG", "") not in ("", "0"):
            return super().invoke(ctx)
        with warnings.catch_warnings():
            if not sys.warnoptions:  # python -W says otherwise
                warnings.simplefilter("ignore")
                warnings.simplefilter("always", PellucidWarning)
                warnings.showwarning = _show_warning
            try:
                return super().invoke(ctx)
            except PellucidError as error:
                return _leave(str(error), USAGE)
            except BrokenPipeError:  # the reader of our output went away, as head does
                raise
            except OSError as error:
                where = f"{error.filename}: " if error.filename else ""
                return _leave(f"{where}{error.strerror or error}", USAGE)
            except KeyboardInterrupt:
                return _leave("stopped before there was a model; nothing is kept", INTERRUPTED)
            except MemoryError:
                return _leave("out of memory; pass fewer rows, or drop columns", CRASH)
            except RuntimeError as error:
                if isinstance(error, typer.Exit | typer.Abort):  # click's own way to end
                    raise
                return _leave(_unexpected(error), CRASH)
            except Exception as error:
                if type(error).__module__.split(".")[0] in ("click", "typer"):  # usage errors
                    raise
                return _leave(_unexpected(error), CRASH)


def _unexpected(error: Exception) -> str:
    return (
        f"unexpected {type(error).__name__}: {error}\n"
        f"This is a fault of Pellucid. PELLUCID_DEBUG=1 shows where; please report it."
    )


def _leave(message: str, code: int) -> None:
    typer.echo(f"pellucid: {message}", err=True)
    raise typer.Exit(code)


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    typer.echo(f"warning: {message}", err=True)
