"""What commands print about an object: one line, its name, YAML or JSON."""

from __future__ import annotations

import json
from typing import Any

from gitops_sim.apimachinery import yaml_loader
from gitops_sim.errors import LabError
from gitops_sim.kubectl.arguments import Arguments
from gitops_sim.kubectl.loading import Found
from gitops_sim.kubectl.mapping import Mapped
from gitops_sim.kubectl.session import Session
from gitops_sim.types import Manifest

__all__ = ["as_text", "printed", "say_done", "show"]


def printed(
    session: Session, arguments: Arguments, item: Found, after: Manifest, operation: str
) -> None:
    """Print what was done with an object, in the form that `-o` asks for."""
    if not arguments.text("output"):
        say_done(session, arguments, item.kind, item.name, operation)
    else:
        show(session, arguments, item.kind, after)


def show(session: Session, arguments: Arguments, kind: Mapped, manifest: Manifest) -> None:
    """Print an object as its name, YAML or JSON: what `-o` asks for."""
    output = arguments.text("output")
    if output == "name":
        session.say(kind.shown(manifest["metadata"]["name"]))
    else:
        session.out.append(as_text(manifest, output))


def say_done(
    session: Session, arguments: Arguments, kind: Mapped, name: str, operation: str
) -> None:
    """Print `deployment.apps/web configured`, with a word about a dry run."""
    tried = {"client": " (dry run)", "server": " (server dry run)"}.get(arguments.dry_run, "")
    session.say(f"{kind.shown(name)} {operation}{tried}")


def as_text(value: Any, output: str, *, managed_fields: bool = False) -> str:
    """Return an object or list as YAML or JSON, without managedFields unless they are wanted.

    Raises:
        LabError: Another form was asked for.
    """
    shown = value if managed_fields else _shown(value)
    if output == "yaml":
        return yaml_loader.dump(shown)
    if output == "json":
        return json.dumps(shown, indent=4, sort_keys=True, ensure_ascii=False) + "\n"
    problem = f'unable to match a printer suitable for the output format "{output}"'
    raise LabError(f"{problem}, allowed formats are: json,name,yaml")


def _shown(value: Any) -> Any:
    """Return an object without managedFields; a list's items too."""
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("items"), list):
        return value | {"items": [_shown(item) for item in value["items"]]}
    metadata = value.get("metadata")
    if isinstance(metadata, dict) and "managedFields" in metadata:
        kept = {key: member for key, member in metadata.items() if key != "managedFields"}
        return value | {"metadata": kept}
    return value
