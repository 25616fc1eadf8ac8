"""What a job knows about itself: contexts for expressions, variables for scripts.

Source: GitHub Actions, "Contexts reference" and "Variables reference".
Differs: the files behind `$GITHUB_OUTPUT`, `$GITHUB_ENV` and `$GITHUB_STEP_SUMMARY` are in the
workspace, since steps write nowhere else; of a merge request `github.sha` is the head of its
source, not a commit that merges it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gitops_sim.push.expressions import Template
from gitops_sim.push.runs import JobRun, Run
from gitops_sim.push.surroundings import Access

__all__ = [
    "FILES",
    "contexts_of",
    "evaluated",
    "parse_file_command",
    "variables_of",
    "workspace_root",
]

FILES = {
    "GITHUB_ENV": ".runner_file_commands/env",
    "GITHUB_OUTPUT": ".runner_file_commands/output",
    "GITHUB_STEP_SUMMARY": ".runner_file_commands/summary",
}
"""Variable -> the file in the workspace that a step writes to."""
SERVER = "https://git.example.com"
PAIR = re.compile(r"(?P<name>[^=<\s]+)(?P<mark>=|<<)(?P<rest>.*)")


def contexts_of(run: Run, job: JobRun, access: Access) -> dict[str, Any]:
    """Return the contexts of a job; env and steps are added as it goes on."""
    source = run.source
    github = {
        "actor": source.actor,
        "base_ref": source.target,
        "event": _payload(run),
        "event_name": source.event,
        "head_ref": source.branch if source.number else "",
        "job": job.spec.id,
        "ref": source.ref,
        "ref_name": source.ref_name,
        "ref_type": "branch",
        "repository": source.repository,
        "run_attempt": str(run.attempt),
        "run_id": run.id,
        "run_number": str(run.number),
        "server_url": SERVER,
        "sha": source.commit,
        "triggering_actor": source.actor,
        "workflow": run.workflow,
        "workspace": workspace_root(source.repository),
    }
    return {
        "env": {},
        "github": github,
        "inputs": dict(source.inputs),
        "job": {"status": "success"},
        "matrix": dict(job.combination),
        "needs": run.needs(job),
        "runner": {"arch": "X64", "name": job.runner, "os": "Linux", "temp": "/home/runner/_temp"},
        "secrets": dict(access.secrets),
        "steps": {},
        "vars": access.variables,
    }


def _payload(run: Run) -> dict[str, Any]:
    """Return the part of the event's payload that workflows ask for most."""
    source = run.source
    repository = {"name": source.repository, "full_name": source.repository}
    payload: dict[str, Any] = {"repository": repository, "sender": {"login": source.actor}}
    if source.event == "workflow_dispatch":
        return payload | {"ref": source.ref, "inputs": dict(source.inputs)}
    if not source.number:
        head = {"id": source.commit, "message": source.message}
        return payload | {"ref": source.ref, "after": source.commit, "head_commit": head}
    request = {
        "number": source.number,
        "head": {"ref": source.branch, "sha": source.commit},
        "base": {"ref": source.target},
        "merged": source.merged,
    }
    about = {"number": source.number, "action": source.action}
    return payload | about | {"pull_request": request}


def workspace_root(repository: str) -> str:
    """Return the path of a job's workspace on its runner."""
    return f"/home/runner/work/{repository}/{repository}"


def variables_of(contexts: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables that every script has, whatever the workflow sets."""
    github, runner = contexts["github"], contexts["runner"]
    root = github["workspace"]
    named = {
        f"GITHUB_{name.upper()}": value for name, value in github.items() if isinstance(value, str)
    }
    files = {name: f"{root}/{path}" for name, path in FILES.items()}
    return {
        **named,
        **files,
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "HOME": "/home/runner",
        "PWD": root,
        "RUNNER_ARCH": runner["arch"],
        "RUNNER_NAME": runner["name"],
        "RUNNER_OS": runner["os"],
        "RUNNER_TEMP": runner["temp"],
    }


def evaluated(templates: Mapping[str, Template], contexts: Mapping[str, Any]) -> dict[str, str]:
    """Return texts with their expressions evaluated; ExpressionError when one cannot be."""
    return {name: template.text(contexts) for name, template in templates.items()}


def parse_file_command(text: str) -> dict[str, str]:
    """Read what a step wrote: `NAME=value` lines, or `NAME<<END`, lines, `END`.

    Raises:
        ValueError: A line is neither; the text is the runner's.
    """
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        if not line.strip():
            continue
        match = PAIR.fullmatch(line)
        if match is None:
            raise ValueError(f"Invalid format '{line}'")
        if match["mark"] == "=":
            found[match["name"]] = match["rest"]
            continue
        body: list[str] = []
        for inner in lines:
            if inner == match["rest"]:
                break
            body.append(inner)
        else:
            raise ValueError(f"Matching delimiter not found '{match['rest']}'")
        found[match["name"]] = "\n".join(body)
    return found
