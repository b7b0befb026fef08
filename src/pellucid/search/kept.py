"""A trial as files without code: a search can go on from them, and a model be made of them."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import asdict

import numpy as np

from pellucid.arrays import read_array
from pellucid.errors import UNREADABLE, PellucidError
from pellucid.models.ensemble import Ensemble
from pellucid.models.packing import unpack
from pellucid.models.problem import Link
from pellucid.search.ensemble import Part, assemble
from pellucid.search.trials import Trial, TrialRecord, TrialSpec, unpack_members

_FORMAT = 1
TRIAL, MARGINS, MEMBERS = "trial.json", "margins.npy", "members.zip"


class KeptTrialError(PellucidError):
    """The files of a trial are incomplete, or of another format."""


def trial_to_files(trial: Trial, members: bytes | None, *, link: str) -> dict[str, bytes]:
    """A trial as named files.

    Parameters
    ----------
    members : the packed members of its folds, None where it has none, or they were not kept.
    link : that its margins are behind.
    """
    facts = {
        "format": _FORMAT,
        "spec": asdict(trial.spec),
        "record": asdict(trial.record),
        "rounds": list(trial.rounds),
        "first_loss": trial.first_loss if np.isfinite(trial.first_loss) else None,
        "link": link,
    }
    files = {TRIAL: json.dumps(facts, indent=1).encode()}
    if trial.margins is not None:
        buffer = io.BytesIO()
        np.save(buffer, trial.margins, allow_pickle=False)
        files[MARGINS] = buffer.getvalue()
    if members is not None:
        files[MEMBERS] = members
    return files


def trial_from_files(files: Mapping[str, bytes]) -> tuple[Trial, Link]:
    """Rebuild a trial, and say which link its margins are behind.

    Raises
    ------
    KeptTrialError
        Files of another format, or incomplete.
    """
    try:
        facts = json.loads(files[TRIAL])
        if facts["format"] != _FORMAT:
            raise KeptTrialError(f"a kept trial has format {facts['format']}, not {_FORMAT}")
        margins = None
        if MARGINS in files:
            margins = read_array(files[MARGINS])
        record = TrialRecord(**facts["record"])
        trial = Trial(
            TrialSpec(**facts["spec"]),
            record,
            margins,
            tuple(facts["rounds"]),
            float("inf") if facts["first_loss"] is None else float(facts["first_loss"]),
        )
        link: Link = "log" if facts["link"] == "log" else "identity"
    except UNREADABLE as error:
        raise KeptTrialError(f"a kept trial cannot be read ({error!r}); train again") from error
    return trial, link


def trial_ensemble(trial: Trial, members: bytes, *, n_outputs: int) -> Ensemble:
    """The model of a trial: the mean of its folds' margins.

    It is the model that the trial's scores speak of, as nearly as one model can be: each row's
    score came from the one fold that had not seen it.
    """
    try:
        own = unpack_members(unpack(members))
    except UNREADABLE as error:
        raise KeptTrialError(f"the members of a kept trial cannot be read ({error!r})") from error
    part = Part(trial.spec, 1.0, trial.rounds, by_fold=True)
    return assemble([part], [own], np.zeros(n_outputs))
