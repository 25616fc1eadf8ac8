"""The report of a delivery as one HTML file without outside parts."""

from __future__ import annotations

import html

from gitops_sim.cli.delivering import Delivery
from gitops_sim.cli.outcome import Outcome

__all__ = ["report_page"]

_STYLE = (
    "body{font:16px/1.5 sans-serif;margin:2rem auto;max-width:1140px;padding:0 1rem;"
    "color:#1B1F24;background:#fff}table{border-collapse:collapse}"
    "th,td{text-align:left;padding:.2rem 1rem .2rem 0;vertical-align:top}"
    "pre{overflow-x:auto}h2{margin-top:2.5rem}"
)


def report_page(delivery: Delivery, outcome: Outcome) -> str:
    """Return the page: verdict, the board with its player, lanes, tree, objects, what happened."""
    plan = delivery.plan
    comparison = delivery.lab.compare(delivery.cluster)
    title = f"{delivery.repository.name}: {plan.path or '.'} by {plan.deliver}"
    verdict = "Everything is delivered." if outcome.delivered else "Not everything is delivered."
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td>{html.escape(cell)}</td>"
            for cell in (o.kind, o.namespace, o.name, o.sync, o.health, o.reason)
        )
        + "</tr>"
        for o in outcome.objects
    )
    heads = "".join(
        f"<th>{name}</th>" for name in ("Kind", "Namespace", "Name", "Sync", "Health", "Reason")
    )
    remarks = "".join(f"<li>{html.escape(remark)}</li>" for remark in delivery.remarks)
    parts = [
        f"<h1>{html.escape(title)}</h1>",
        f"<p>{verdict} Revision {html.escape(outcome.revision) or 'none'}, seed {plan.seed}.</p>",
        f"<ul>{remarks}</ul>" if remarks else "",
        comparison.html,
        "<h2>Two lanes and the gap</h2>",
        comparison.lanes().html,
        "<h2>Who made whom</h2>",
        comparison.tree().html,
        f"<h2>Objects</h2><table><tr>{heads}</tr>{rows}</table>",
        "<h2>What happened</h2><pre>" + html.escape("\n".join(outcome.told())) + "</pre>",
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>\n"
    )
