"""How long a request may have waited to be answered still.

A queue that empties by itself is a burst, and all of it is answered. A queue that stays makes every
request late, for no one's good; then only what has waited a tenth as long is answered, and the rest
is told at once to come again (after CoDel: Nichols and Jacobson, Controlling Queue Delay, ACM Queue
10(5), 2012).
"""

from __future__ import annotations

_PROMPT = 0.02  # seconds; who waited no longer met no queue
_STAYS = 0.1  # seconds after the last such, when a queue is one that stays
_LONG = 32  # requests in it: one client after the other makes no queue, however slow the machine


class Patience:
    """Says of one request after the other whether it has waited too long.

    Parameters
    ----------
    limit : float
        Seconds that a request may have waited.
    """

    def __init__(self, limit: float) -> None:
        self._limit, self._late = limit, 0
        self._prompt: float | None = None  # when one came that met no queue

    def ends(self, waited: float, now: float) -> bool:
        """Whether a request that has waited so long by now is to be refused.

        Examples
        --------
        >>> Patience(0.5).ends(0.4, now=1.0), Patience(0.5).ends(0.6, now=1.0)
        (False, True)
        """
        if waited < _PROMPT or self._prompt is None:
            self._prompt, self._late = now, 0
        if waited < _PROMPT:
            return False
        self._late += 1
        lasting = now - self._prompt
        length = self._late * waited / max(lasting, 1e-9)  # Little's law: rate by waiting
        if lasting > _STAYS and length > _LONG:
            return waited > self._limit / 10
        return waited > self._limit
