"""An Explanation as a console or a notebook shows it."""

from __future__ import annotations

import html

from pellucid.explain.explanation import Explanation
from pellucid.explain.told import told


def as_text(explanation: Explanation) -> str:
    """What a console shows: the most important features, and what weakens the values."""
    lines = [f"<Explanation: {_headline(explanation)}>"]
    if explanation.n_rows:
        top = explanation.feature_importance_dict(top_k=5)
        width = max((len(name) for name in top), default=0)
        lines += [f"  {name:<{width}}  {told(value)}" for name, value in top.items()]
        if explanation.n_features > len(top):
            lines.append(f"  ... {explanation.n_features - len(top)} more")
    if explanation.certificate is not None:
        lines += [f"  {weakness}" for weakness in explanation.certificate.weaknesses]
    return "\n".join(lines)


def as_html(explanation: Explanation) -> str:
    """What a notebook shows: the same as a table, with the certificate to unfold."""
    top = explanation.feature_importance_dict(top_k=10) if explanation.n_rows else {}
    widest = max(top.values(), default=0.0) or 1.0
    rows = "".join(
        f"<tr><td style='text-align:left'>{html.escape(name)}</td>"
        f"<td style='text-align:right'>{told(value)}</td>"
        f"<td style='text-align:left'><div style='background:#0072b2;height:.8em;"
        f"width:{max(1, round(160 * value / widest))}px'></div></td></tr>"
        for name, value in top.items()
    )
    more = explanation.n_features - len(top)
    foot = f"<p>{more} more features</p>" if top and more > 0 else ""
    if explanation.certificate is not None:
        said = html.escape(str(explanation.certificate))
        foot += f"<details><summary>certificate</summary><pre>{said}</pre></details>"
    return (
        f"<div><p>{html.escape(_headline(explanation))}</p><table><thead><tr><th>feature</th>"
        f"<th>mean |importance|</th><th></th></tr></thead><tbody>{rows}</tbody></table>"
        f"{foot}</div>"
    )


def _headline(explanation: Explanation) -> str:
    per = f", {explanation.n_outputs} classes" if explanation.n_outputs > 1 else ""
    return (
        f"{explanation.method} {explanation.level} explanation of {explanation.n_rows} "
        f"{explanation.rows_from} rows, "
        f"{explanation.n_features} features{per}, {explanation.space} space, "
        f"background of {explanation.background_size} rows"
        + (f", {explanation.certificate.verdict}" if explanation.certificate is not None else "")
    )
