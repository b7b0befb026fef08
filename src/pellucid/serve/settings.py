"""What a service is told when it starts; plain values, so that its workers can be told too."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pellucid.serve.checking import Policy
from pellucid.serve.errors import ServeError

LOOPBACK = ("127.0.0.1", "localhost", "::1")
KEYS = "PELLUCID_API_KEYS"  # the environment variable: keys with commas between them
_SHORTEST = 16  # characters of a key


@dataclass(frozen=True)
class Limits:
    """What a request may cost.

    body : bytes
    rows : of one request
    seconds : to answer
    body_seconds : for a client to send its request
    waiting : requests that are answered or wait at one time, in a worker
    batches : of these, requests of many rows, each of which holds memory
    queue_seconds : that a request may have waited before it is looked at
    """

    body: int = 10_000_000
    rows: int = 10_000
    seconds: float = 30.0
    body_seconds: float = 10.0
    waiting: int = 128
    batches: int = 16
    queue_seconds: float = 0.5


@dataclass(frozen=True)
class Kept:
    """What is kept of requests, for `pellucid monitor`.

    folder : where
    share : of requests, chosen by chance
    omit : raw columns whose cells are not written
    seconds, rows : after which a file is written
    megabytes : of a model, beyond which the oldest files go
    """

    folder: str
    share: float = 1.0
    omit: tuple[str, ...] = ()
    seconds: float = 60.0
    rows: int = 10_000
    megabytes: float = 1000.0


@dataclass(frozen=True)
class Settings:
    """A service.

    target : a registered model, such as "bank@champion", or a folder
    store : where it is registered
    name : what to call the model instead of its own name
    keys_file : a file of API keys, one a line
    open_to_all : whether the service may be reached from other machines without a key
    hosts : names under which the service may be asked, besides loopback and ``host``
    reload_seconds : between looks whether the target means another model; 0 for never
    log : what is kept of requests; nothing by default
    trust : a file of public keys; a model that none of them signed is not served
    """

    target: str
    store: str | None = None
    name: str | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    keys_file: str | None = None
    open_to_all: bool = False
    certificate: str | None = None
    private_key: str | None = None
    hosts: tuple[str, ...] = ()
    policy: Policy = "lenient"
    reload_seconds: float = 2.0
    limits: Limits = Limits()
    log: Kept | None = None
    trust: str | None = None

    def to_json(self) -> str:
        """Text from which `from_json` makes the same settings."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """Read what `to_json` gave.

        Examples
        --------
        >>> log = Kept("log", omit=("id",))
        >>> given = Settings("bank@champion", hosts=("score.example",), log=log)
        >>> Settings.from_json(given.to_json()) == given
        True
        """
        facts = json.loads(text)
        limits, hosts = Limits(**facts.pop("limits")), tuple(facts.pop("hosts"))
        log = facts.pop("log", None)
        kept = None if log is None else Kept(**{**log, "omit": tuple(log["omit"])})
        return replace(cls(**facts), limits=limits, hosts=hosts, log=kept)

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the service."""
        return self.host in LOOPBACK

    def check(self, keys: frozenset[str]) -> None:
        """Refuse settings that no service should start with.

        Raises
        ------
        ServeError
        """
        if not self.is_local and not keys and not self.open_to_all:
            raise ServeError(
                f"on {self.host} other machines can reach the service, and there is no API key; "
                f"give some with --keys FILE or {KEYS}, or say --no-auth"
            )
        if (self.certificate is None) != (self.private_key is None):
            raise ServeError("TLS takes two files: give both --tls-cert and --tls-key")
        for path in (self.certificate, self.private_key):
            if path is not None and not Path(path).is_file():
                raise ServeError(f"the TLS file {path} does not exist")
        if not 0 <= self.port <= 65535:
            raise ServeError(f"port {self.port} is none; ports are from 1 to 65535")
        if self.log is not None and not 0.0 < self.log.share <= 1.0:
            raise ServeError(f"the share of requests to log is {self.log.share}, not 0 to 1")
        if self.workers < 1:
            raise ServeError(f"there must be at least one worker, not {self.workers}")


def read_keys(settings: Settings, environ: Mapping[str, str] | None = None) -> frozenset[str]:
    """API keys of the file and of the environment; none for a service without.

    Raises
    ------
    ServeError
        A file that cannot be read or holds none, or a key that is easily guessed.
    """
    environ = os.environ if environ is None else environ
    keys = [key.strip() for key in environ.get(KEYS, "").split(",")]
    if settings.keys_file is not None:
        try:
            lines = Path(settings.keys_file).read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ServeError(f"the key file {settings.keys_file} cannot be read") from error
        found = [line.strip() for line in lines if not line.startswith("#")]
        if not any(found):
            raise ServeError(f"the key file {settings.keys_file} holds no key")
        keys += found
    kept = frozenset(key for key in keys if key)
    if any(len(key) < _SHORTEST or not key.isascii() for key in kept):
        raise ServeError(f"an API key needs at least {_SHORTEST} characters, of ASCII")
    return kept
