"""`kubectl scale`, `set image` and `patch`: one thing said, one thing done."""

from __future__ import annotations

import json
from typing import Any

from gitops_sim.apimachinery import yaml_loader
from gitops_sim.errors import ApiError, InputError, LabError
from gitops_sim.kubectl.arguments import Arguments, Flag
from gitops_sim.kubectl.mapping import Mapped, names_of
from gitops_sim.kubectl.messages import error_text
from gitops_sim.kubectl.printing import say_done, show
from gitops_sim.kubectl.session import Session, Work
from gitops_sim.kubectl.strictness import warn_of_unknown_fields
from gitops_sim.types import Manifest

__all__ = [
    "PATCH_FLAGS",
    "SCALE_FLAGS",
    "SET_FLAGS",
    "patch",
    "scale",
    "set_image",
]

SCALE_FLAGS = {"replicas": Flag(), "current-replicas": Flag(), "dry-run": Flag()}
SET_FLAGS = {"dry-run": Flag(), "field-manager": Flag()}
PATCH_FLAGS = {
    "patch": Flag("p"),
    "type": Flag(),
    "subresource": Flag(),
    "dry-run": Flag(),
    "output": Flag("o"),
    "field-manager": Flag(),
}


def scale(session: Session, arguments: Arguments) -> Work:
    """Set the replicas of workloads through their scale subresource."""
    replicas = arguments.number("replicas", -1)
    if replicas < 0:
        problem = "The --replicas=COUNT flag is required, and COUNT must be greater than or equal"
        raise LabError(f"{problem} to 0")
    expected = arguments.number("current-replicas", -1)
    targets = names_of(session.kinds, arguments.words)
    if not targets or not all(name for _, name in targets):
        raise LabError("resource(s) were provided, but no name was specified")
    for kind, name in targets:
        yield session.step("scale", kind, name)
        namespace = session.namespace_of(kind)
        live = session.cluster.get(kind.exact, name, namespace)
        now = (live.get("spec") or {}).get("replicas", 1)
        if expected not in (-1, now):
            raise LabError(f"Expected replicas to be {expected}, was {now}")
        if arguments.dry_run != "client":
            session.cluster.patch(
                kind.exact,
                name,
                {"spec": {"replicas": replicas}},
                namespace,
                type="merge",
                subresource="scale",
                field_manager="kubectl",
                dry_run=arguments.dry_run == "server",
            )
        say_done(session, arguments, kind, name, "scaled")
    return 0


def set_image(session: Session, arguments: Arguments) -> Work:
    """Set the images of containers: `set image deployment/web web=shop/web:1.2`."""
    if arguments.words[:1] != ["image"]:
        word = arguments.words[0] if arguments.words else ""
        raise LabError(f'unknown command "{word}" for "kubectl set"; there is: image')
    pairs = [word for word in arguments.words[1:] if "=" in word]
    images = dict(pair.split("=", 1) for pair in pairs)
    targets = names_of(session.kinds, [word for word in arguments.words[1:] if "=" not in word])
    if not targets:
        problem = (
            "one or more resources must be specified as <resource> <name> or <resource>/<name>"
        )
        raise LabError(problem)
    if not images:
        raise LabError("at least one image update is required")
    errors: list[Exception] = []
    for kind, name in targets:
        if not name:
            raise LabError("resource(s) were provided, but no name was specified")
        yield session.step("set image", kind, name)
        live = session.cluster.get(kind.exact, name, session.namespace_of(kind))
        change, missing = _image_patch(live, images)
        errors += [LabError(f'error: unable to find container named "{m}"') for m in missing]
        if not change:
            continue
        try:
            _set_images(session, arguments, (kind, name), change)
        except ApiError as refused:
            problem = f"failed to patch image update to pod template: {refused.message}"
            errors.append(LabError(problem))
            continue
        say_done(session, arguments, kind, name, "image updated")
    if errors:
        session.err.append(error_text(errors))
    return 1 if errors else 0


def _set_images(
    session: Session, arguments: Arguments, target: tuple[Mapped, str], change: dict[str, Any]
) -> None:
    kind, name = target
    if arguments.dry_run == "client":
        return
    session.cluster.patch(
        kind.exact,
        name,
        change,
        session.namespace_of(kind),
        type="strategic",
        field_manager=arguments.text("field-manager", "kubectl-set"),
        dry_run=arguments.dry_run == "server",
    )


def _image_patch(live: Manifest, images: dict[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Return the patch that sets images, empty when they are set, and names not found."""
    spec = live.get("spec") or {}
    in_pod = spec if live["kind"] == "Pod" else (spec.get("template") or {}).get("spec") or {}
    found: set[str] = set()
    changed: dict[str, list[dict[str, str]]] = {}
    for field in ("initContainers", "containers"):
        for container in in_pod.get(field) or []:
            for wanted, image in images.items():
                if wanted in ("*", container["name"]):
                    found.add(wanted)
                    if container.get("image") != image:
                        entry = {"name": container["name"], "image": image}
                        changed.setdefault(field, []).append(entry)
    missing = [name for name in images if name not in found]
    if not changed:
        return {}, missing
    inner: dict[str, Any] = {"spec": dict(changed)}
    return inner if live["kind"] == "Pod" else {"spec": {"template": inner}}, missing


def patch(session: Session, arguments: Arguments) -> Work:
    """Patch one object.

    Differs: `--dry-run=client` asks the server what would come of it, too.
    """
    kinds = {"strategic": "strategic", "merge": "merge", "json": "json"}
    form = arguments.text("type", "strategic")
    if form not in kinds:
        raise LabError(f"--type must be one of [json merge strategic], not {form!r}")
    try:
        (body,) = [document.manifest for document in yaml_loader.load_all(arguments.text("patch"))]
    except (InputError, ValueError):
        raise LabError(f"unable to parse {arguments.text('patch')!r}: want JSON or YAML") from None
    targets = names_of(session.kinds, arguments.words)
    if not targets or not all(name for _, name in targets):
        raise LabError("resource(s) were provided, but no name was specified")
    for kind, name in targets:
        yield session.step("patch", kind, name)
        namespace = session.namespace_of(kind)
        before = session.cluster.get(kind.exact, name, namespace)
        after = session.cluster.patch(
            kind.exact,
            name,
            body,
            namespace,
            type=form,  # type: ignore[arg-type] # checked above
            subresource=arguments.text("subresource"),
            field_manager=arguments.text("field-manager", "kubectl-patch"),
            dry_run=arguments.dry_run != "none",
        )
        if form == "merge" and not arguments.text("subresource"):
            warn_of_unknown_fields(session, kind, body)
        same = json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True)
        done = "patched (no change)" if same else "patched"
        if arguments.text("output"):
            show(session, arguments, kind, after)
        elif after.get("kind") == "Scale":
            session.say(f"scale.autoscaling/{name} {done}")
        else:
            say_done(session, arguments, kind, name, done)
    return 0
