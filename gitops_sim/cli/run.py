"""`gitops-sim run`: deliver a repository to a simulated cluster and tell what happened."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import gitops_sim
from gitops_sim.cli.delivering import deliver
from gitops_sim.cli.outcome import Outcome
from gitops_sim.cli.page import report_page
from gitops_sim.cli.plan import DELIVERIES, Plan, from_arguments, from_file
from gitops_sim.clock import format_duration
from gitops_sim.errors import InputError

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument(
        "scenario",
        metavar="SCENARIO.yaml",
        nargs="?",
        type=Path,
        help="instead of the options; samples/drift.yaml is one of the package",
    )
    parser.add_argument("--repo", metavar="PATH", help="a folder, a clone, a URL, or samples/shop")
    parser.add_argument("--path", metavar="DIR", default="", help="its directory (default: all)")
    parser.add_argument("--deliver", choices=DELIVERIES, default="flux", help="default: flux")
    parser.add_argument("--until", metavar="TIME", default="1h", help="virtual time (default: 1h)")
    parser.add_argument("--seed", type=int, default=0, help="of everything random (default: 0)")
    parser.add_argument("--nodes", type=int, default=3, help="of the cluster (default: 3)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument(
        "--report", metavar="OUT.html", type=Path, help="write a page with pictures"
    )


def run(arguments: argparse.Namespace) -> int:
    """Deliver and report; 1 when not everything is there and available."""
    delivery = deliver(_plan(arguments))
    outcome = Outcome(delivery)
    if arguments.report:
        arguments.report.write_text(report_page(delivery, outcome), encoding="utf-8")
    if arguments.json:
        print(json.dumps(outcome.as_json(), indent=1))
        return 0 if outcome.delivered else 1
    plan = delivery.plan
    print(
        f"{delivery.repository.name}: {plan.path or '.'} by {plan.deliver}, "
        f"{format_duration(plan.until)} of virtual time, seed {plan.seed}"
    )
    for line in [*outcome.told(), *(f"note: {remark}" for remark in delivery.remarks)]:
        print(f"  {line}")
    unwell = [state for state in outcome.objects if not state.is_well]
    for state in unwell:
        print(state)
    well = len(outcome.objects) - len(unwell)
    print(f"{well} of {len(outcome.objects)} objects are as declared and available")
    return 0 if outcome.delivered else 1


def _plan(arguments: argparse.Namespace) -> Plan:
    if arguments.scenario is None:
        return from_arguments(arguments)
    if arguments.repo:
        raise InputError("--repo", 0, "the scenario names its repository", "leave --repo out")
    packaged = Path(gitops_sim.__file__).parent / arguments.scenario
    sample = arguments.scenario.parts[:1] == ("samples",) and packaged.is_file()
    file = packaged if sample and not arguments.scenario.exists() else arguments.scenario
    if not file.is_file():
        raise InputError(str(file), 0, "there is no such file", "check the spelling")
    return from_file(file)
