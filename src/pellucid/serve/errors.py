"""What can be wrong with a request, told in a form that a program can read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pellucid.errors import PellucidError


class ServeError(PellucidError):
    """A service cannot be started, reached or changed."""


class RequestError(PellucidError):
    """A request that cannot be answered.

    Attributes
    ----------
    code : str
        What is wrong, in one word of a fixed list, for programs.
    status : int
        HTTP status that says so.
    column, row : name of the column and position of the row, where there is one
    headers : of the answer, beside the usual ones
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "bad_request",
        status: int = 400,
        column: str | None = None,
        row: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code, self.status, self.column, self.row = code, status, column, row
        self.headers = dict(headers or {})

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, after RFC 9457."""
        facts: dict[str, Any] = {
            "title": "the request cannot be answered",
            "status": self.status,
            "code": self.code,
            "detail": str(self),
        }
        if self.column is not None:
            facts["column"] = self.column
        if self.row is not None:
            facts["row"] = self.row
        return facts


class RowsError(RequestError):
    """Rows that do not fit the model; the message names column and row, but holds no cell."""


def too_late() -> RequestError:
    """A request that there was no time for."""
    return RequestError("there was no answer in time; send fewer rows", code="deadline", status=503)
