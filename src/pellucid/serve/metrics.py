"""Counts and times of requests, as Prometheus reads them."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping

_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Counters of one worker.

    Examples
    --------
    >>> metrics = Metrics()
    >>> metrics.count_request("/score", 200, 0.002)
    >>> metrics.count_rows(3, 3)
    >>> print(metrics.text({}).splitlines()[2])
    pellucid_requests_total{route="/score",status="200"} 1
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, int]] = Counter()
        self._buckets: Counter[tuple[str, int]] = Counter()
        self._seconds: Counter[str] = Counter()
        self._rows: Counter[str] = Counter()

    def count_request(self, route: str, status: int, seconds: float) -> None:
        """Count an answered request; ``route`` is the pattern, never what a client made up."""
        with self._lock:
            self._requests[route, status] += 1
            self._buckets[route, bisect_left(_BOUNDS, seconds)] += 1
            self._seconds[route] += seconds  # type: ignore[assignment]

    def count_rows(self, scored: int, explained: int) -> None:
        """Count rows that were scored, and how many of them were explained."""
        with self._lock:
            self._rows["scored"] += scored
            self._rows["explained"] += explained

    def text(self, gauges: Mapping[str, float]) -> str:
        """All of them, and ``gauges`` by their names, in Prometheus' text format."""
        with self._lock:
            requests, buckets = dict(self._requests), dict(self._buckets)
            seconds, rows = dict(self._seconds), dict(self._rows)
        lines = ["# HELP pellucid_requests_total Requests answered.",
                 "# TYPE pellucid_requests_total counter"]  # fmt: skip
        lines += [
            f'pellucid_requests_total{{route="{route}",status="{status}"}} {n}'
            for (route, status), n in sorted(requests.items())
        ]
        lines += ["# HELP pellucid_request_seconds Time to answer.",
                  "# TYPE pellucid_request_seconds histogram"]  # fmt: skip
        for route in sorted(seconds):
            total = 0
            for i, bound in enumerate((*_BOUNDS, "+Inf")):
                total += buckets.get((route, i), 0)
                label = f'route="{route}",le="{bound}"'
                lines.append(f"pellucid_request_seconds_bucket{{{label}}} {total}")
            lines.append(f'pellucid_request_seconds_sum{{route="{route}"}} {seconds[route]:.6f}')
            lines.append(f'pellucid_request_seconds_count{{route="{route}"}} {total}')
        for kind in ("scored", "explained"):
            name = f"pellucid_rows_{kind}_total"
            lines += [f"# HELP {name} Rows {kind}.", f"# TYPE {name} counter"]
            lines.append(f"{name} {rows.get(kind, 0)}")
        for name, value in gauges.items():
            lines += [f"# HELP {name} See the name.", f"# TYPE {name} gauge", f"{name} {value:g}"]
        return "\n".join(lines) + "\n"
