"""Who may ask the studio: this machine's user, from the studio's own pages.

The token in the address opens a session, which a cookie keeps; SameSite keeps other sites from
using it. The Host header is held to the loopback names, so that a name that another site points at
this machine (DNS rebinding) gets nothing; the Origin header is held to the studio's own.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True)
class Access:
    """What a request must show.

    Attributes
    ----------
    port : int
        Where the studio listens.
    token : str
        The secret in the address that the user was given.
    """

    port: int
    token: str

    @property
    def cookie(self) -> str:
        """Name of the session's cookie; cookies do not tell ports apart, so it does."""
        return f"pellucid-studio-{self.port}"

    def set_cookie(self) -> str:
        """The header that keeps the session."""
        return f"{self.cookie}={self.token}; Path=/; HttpOnly; SameSite=Strict"

    def refusal(self, *, host: str | None, origin: str | None, site: str | None) -> str:
        """Why a request is not one of the studio's own, "" where it is.

        Parameters
        ----------
        host, origin, site : str or None
            The headers Host, Origin and Sec-Fetch-Site.

        Examples
        --------
        >>> Access(8777, "t").refusal(host="evil.example:8777", origin=None, site=None)
        'the studio answers to 127.0.0.1:8777 alone'
        """
        names = [f"{name}:{self.port}" for name in _LOOPBACK]
        if host not in names:
            return f"the studio answers to {names[0]} alone"
        if origin is not None and origin != f"http://{host}":
            return "the studio answers its own pages alone"
        if origin is not None and site == "cross-site":
            return "the studio answers its own pages alone"
        return ""

    def is_token(self, given: str | None) -> bool:
        """Whether it is the token, without telling by the time it takes."""
        return given is not None and secrets.compare_digest(given.encode(), self.token.encode())

    def has_session(self, cookies: str | None) -> bool:
        """Whether a Cookie header holds the session."""
        try:
            found = SimpleCookie(cookies or "").get(self.cookie)
        except CookieError:
            return False
        return found is not None and self.is_token(found.value)
