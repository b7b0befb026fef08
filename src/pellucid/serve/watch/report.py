"""What drift was found, as text, a page, JSON and metrics."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from pellucid.serve.watch.drift import Drift, FeatureDrift

_PREFIX = "pellucid_monitor_"


@dataclass(frozen=True)
class Report:
    """A model's rows of some time, held against training.

    model : name and version
    begin, end : when its first and last row were scored
    drift : Drift
    performance : metrics of rows whose truth is known; empty without
    others : rows of other versions in that time
    level : chance below which a difference is told
    """

    model: str
    begin: datetime
    end: datetime
    drift: Drift
    performance: dict[str, float]
    others: int = 0
    level: float = 0.01

    @property
    def alarms(self) -> list[str]:
        """What one should look at, in words."""
        return self.drift.alarms(self.level)

    @property
    def lines(self) -> list[str]:
        """What was compared, in sentences."""
        drift = self.drift
        found = [
            f"{self.model}: {drift.n_rows} rows from {self.begin:%Y-%m-%d %H:%M} to "
            f"{self.end:%Y-%m-%d %H:%M} UTC, against {drift.n_reference} of before",
            f"predictions: distance {drift.prediction_distance:.3f}, "
            f"chance {drift.prediction_chance:.2g}",
        ]
        if drift.importance_shift is not None:
            found.append(
                f"importance: {drift.importance_shift:.1%} went to other features, "
                f"by {drift.n_explained} explained rows"
            )
        if self.performance:
            told = ", ".join(f"{k} {v:.4g}" for k, v in self.performance.items() if k != "rows")
            found.append(f"of {self.performance['rows']:.0f} rows with a known outcome: {told}")
        if self.others:
            found.append(f"{self.others} rows of other versions were left out")
        return found

    @property
    def rows(self) -> list[list[str]]:
        """A table of the features, its header first."""
        head = ["feature", "distance", "chance", "moved", "importance", "now", "rank", "now",
                "chance"]  # fmt: skip
        return [head, *map(_cells, self.drift.features)]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "model": self.model,
            "begin": self.begin.isoformat(),
            "end": self.end.isoformat(),
            **asdict(self.drift),
            "performance": self.performance,
            "rows_of_other_versions": self.others,
            "alarms": self.alarms,
        }

    def to_metrics(self) -> str:
        """Prometheus' text format, for a file that node_exporter's textfile collector reads."""
        drift, by_feature = self.drift, self.drift.features
        families: list[tuple[str, str, list[tuple[dict[str, str], float | None]]]] = [
            ("rows", "Rows compared.", [({}, drift.n_rows)]),
            ("last_row_seconds", "When the last row was scored.", [({}, self.end.timestamp())]),
            ("input_distance", "Kolmogorov-Smirnov distance of a raw feature's cells.",
             [({"feature": each.name}, each.distance) for each in by_feature]),
            ("input_chance", "Chance of such a distance without drift.",
             [({"feature": each.name}, each.chance) for each in by_feature]),
            ("importance", "Mean absolute importance of a raw feature.",
             [({"feature": each.name, "rows": "training"}, each.importance_before)
              for each in by_feature]
             + [({"feature": each.name, "rows": "window"}, each.importance)
                for each in by_feature]),
            ("importance_shift", "Share of importance that went to other features.",
             [({}, drift.importance_shift)]),
            ("prediction_distance", "Kolmogorov-Smirnov distance of the margins.",
             [({}, drift.prediction_distance)]),
            ("performance", "Metrics of rows whose outcome is known.",
             [({"metric": name}, value) for name, value in self.performance.items()]),
            ("alarms", "Differences that one should look at.", [({}, len(self.alarms))]),
        ]  # fmt: skip
        lines = []
        for name, help_, samples in families:
            told = [(labels, value) for labels, value in samples if value is not None]
            if not told:
                continue
            lines += [f"# HELP {_PREFIX}{name} {help_}", f"# TYPE {_PREFIX}{name} gauge"]
            for labels, value in told:
                pairs = {"model": self.model, **labels}.items()
                inner = ",".join(f'{key}="{_label(text)}"' for key, text in pairs)
                lines.append(f"{_PREFIX}{name}{{{inner}}} {float(value)!r}")
        return "\n".join(lines) + "\n"

    def to_html(self) -> str:
        """A page that needs nothing else."""
        page = Template((files("pellucid.serve") / "templates" / "monitor.html").read_text("utf-8"))
        alarms = self.alarms or ["Nothing differs by more than chance would have it."]
        head, *rows = self.rows
        widths = [each.distance or 0.0 for each in self.drift.features]
        return page.substitute(
            title=escape(self.model),
            lines="".join(f"<p>{escape(line)}</p>" for line in self.lines),
            state="alarm" if self.alarms else "calm",
            alarms="".join(f"<li>{escape(line)}</li>" for line in alarms),
            head="".join(f'<th scope="col">{escape(cell)}</th>' for cell in head),
            rows="".join(_row(cells, width) for cells, width in zip(rows, widths)),
        )


def _cells(each: FeatureDrift) -> list[str]:
    return [
        each.name,
        _number(each.distance, "not kept"),
        _number(each.chance),
        each.moved if each.moved != each.name else "",
        _number(each.importance_before),
        _number(each.importance),
        str(each.rank_before),
        "" if each.rank is None else str(each.rank),
        _number(each.importance_chance),
    ]


def _number(value: float | None, absent: str = "") -> str:
    return absent if value is None else f"{value:.3g}"


def _row(cells: list[str], width: float) -> str:
    name, distance, *rest = map(escape, cells)
    meter = f'<meter max="1" value="{width:.4f}"></meter> {distance}'
    return (
        f'<tr><th scope="row">{name}</th><td>{meter}</td>'
        + "".join(f"<td>{cell}</td>" for cell in rest)
        + "</tr>"
    )


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
