"""A service from Python: a model as a process of this machine, to be asked, changed and deleted."""

from __future__ import annotations

import json
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pellucid.serve.client import body_of
from pellucid.serve.errors import RequestError, ServeError
from pellucid.serve.local import FACTS
from pellucid.serve.process import (
    LOG,
    end_process,
    has_ended,
    start_process,
    write_facts,
)
from pellucid.serve.settings import Settings

State = Literal["Transitioning", "Healthy", "Unhealthy", "Failed"]
_TRIES = 4  # of a request that a busy service refuses
_START_SECONDS = 60.0  # after which a process that does not answer is unhealthy


class Service:
    """A model that is served by a process of its own, which outlives the one that deployed it.

    Made by `pellucid.deploy`, or found by `pellucid.services`.

    Parameters
    ----------
    folder : Path
        Where its facts and its log are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.name = folder.name

    @property
    def facts(self) -> dict[str, Any]:
        """What it was deployed with: settings, cpu_cores, memory_gb, tags, created, process."""
        try:
            return dict(json.loads((self._folder / FACTS).read_text("utf-8")))
        except OSError as error:
            raise ServeError(f"there is no service {self.name!r}; it was deleted") from error

    @property
    def url(self) -> str:
        """Where it answers."""
        settings = self.facts["settings"]
        return f"http://{settings['host']}:{settings['port']}"

    @property
    def tags(self) -> dict[str, str]:
        """What it was tagged with."""
        return dict(self.facts["tags"])

    @property
    def state(self) -> State:
        """Healthy, Transitioning while it starts, Unhealthy if it hangs, Failed if it ended."""
        facts = self.facts
        if has_ended(facts["process"]):
            return "Failed"
        try:
            address = f"{self.url}/health/ready"
            with urllib.request.urlopen(address, timeout=5):  # nosec B310: http on loopback
                return "Healthy"
        except (OSError, urllib.error.URLError):
            age = time.time() - datetime.fromisoformat(facts["started"]).timestamp()
            return "Transitioning" if age < _START_SECONDS else "Unhealthy"

    def wait(self, timeout: float = 60.0) -> Service:
        """Wait until it answers.

        Raises
        ------
        ServeError
            If it ends instead, with the end of its log, or does not answer in time.
        """
        deadline = time.monotonic() + timeout
        while (state := self.state) != "Healthy":
            if state == "Failed" or time.monotonic() > deadline:
                what = "has ended" if state == "Failed" else f"did not answer in {timeout:g} s"
                raise ServeError(f"the service {self.name!r} {what}; its log ends\n{self.logs(10)}")
            time.sleep(0.1)
        return self

    def run(
        self,
        rows: Any,
        *,
        explain: str = "both",
        top: int | None = None,
        space: str = "margin",
        key: str | None = None,
    ) -> dict[str, Any]:
        """Score rows and give the answer.

        Parameters
        ----------
        rows : table, (n_rows, n_columns), or a list of records, or JSON as text
        explain : "both", "raw", "engineered" or "none"
        top : int, optional
            Only so many reasons a row.
        space : "margin", "probability" or "response"
        key : str, optional
            API key, for a service that asks for one.

        Raises
        ------
        RequestError
            What the service says of rows that it does not take, or that it stays busy.
        ServeError
            If it cannot be reached.
        """
        body, kind = body_of(rows)
        query = f"explain={explain}&space={space}" + (f"&top={top}" if top is not None else "")
        headers = {"Content-Type": kind} | ({"X-API-Key": key} if key else {})
        request = urllib.request.Request(f"{self.url}/score?{query}", body, headers)
        for _ in range(_TRIES - 1):
            try:
                return self._answer(request)
            except RequestError as error:
                if error.code != "busy":
                    raise
            time.sleep(1.0)  # as its Retry-After says
        return self._answer(request)

    def _answer(self, request: urllib.request.Request) -> dict[str, Any]:
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:  # nosec B310: as above
                return dict(json.loads(answer.read()))
        except urllib.error.HTTPError as error:
            raise _told(error) from None
        except (OSError, urllib.error.URLError) as error:
            raise ServeError(
                f"the service {self.name!r} cannot be reached: {error}; it is {self.state}"
            ) from error

    def logs(self, lines: int = 200) -> str:
        """The end of its log."""
        try:
            text = (self._folder / LOG).read_text("utf-8", "replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def update(
        self,
        target: str | None = None,
        *,
        cpu_cores: float | None = None,
        memory_gb: float | None = None,
        workers: int | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> Service:
        """Change what is given, and start anew where that needs it; the address stays.

        To change the model without a break, deploy an alias and move that.
        """
        facts = self.facts
        settings = _settings(facts)
        if target is not None:
            settings = replace(settings, target=checked_target(target, settings.store))
        if workers is not None:
            settings = replace(settings, workers=workers)
        facts["settings"] = asdict(settings)
        if tags is not None:
            facts["tags"] = dict(tags)
        for name, value in (("cpu_cores", cpu_cores), ("memory_gb", memory_gb)):
            if value is not None:
                facts[name] = positive(name, value)
        if any(value is not None for value in (target, workers, cpu_cores, memory_gb)):
            end_process(facts["process"])
            start_process(self._folder, facts)
        else:
            write_facts(self._folder, facts)
        return self

    def delete(self) -> None:
        """End it, once the requests that it has are answered, and forget it."""
        end_process(self.facts["process"])
        shutil.rmtree(self._folder)

    def __repr__(self) -> str:
        return f"<Service {self.name!r}: {self.state} at {self.url}>"


def checked_target(target: str, store: str | None) -> str:
    """The target as another process finds it; refuses one that is not there."""
    from pellucid.serve.holder import source_of

    source_of(target, store=store).identity()
    return str(Path(target).absolute()) if Path(target).is_dir() else target


def _settings(facts: Mapping[str, Any]) -> Settings:
    return Settings.from_json(json.dumps(facts["settings"]))


def positive(name: str, value: float) -> float:
    """A number above 0, of something that is given to a service."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value < 1e6:
        raise ServeError(f"{name} must be a number above 0, not {value!r}")
    return float(value)


def _told(error: urllib.error.HTTPError) -> RequestError:
    """The service's own words for what is wrong."""
    try:
        facts = json.loads(error.read())
        return RequestError(
            facts["detail"],
            code=facts["code"],
            status=error.code,
            column=facts.get("column"),
            row=facts.get("row"),
        )
    except (ValueError, KeyError, TypeError):
        return RequestError(f"the service answered {error.code}", status=error.code)
