"""`kubectl diff`: what an apply would change, as a unified diff; exit status 1 if anything would.

Source: k8s.io/kubectl pkg/cmd/diff/diff.go.
Differs: the two sides are called LIVE and MERGED, where kubectl has directories of temporary files.
"""

from __future__ import annotations

import difflib
from typing import Any

from gitops_sim.apimachinery import yaml_loader
from gitops_sim.apimachinery.last_applied import ANNOTATION
from gitops_sim.errors import ApiError, LabError, NotFoundError
from gitops_sim.kubectl.applying import CLIENT_SIDE, client_side_patch
from gitops_sim.kubectl.arguments import Arguments, Flag
from gitops_sim.kubectl.loading import FILE_FLAGS, Found, load
from gitops_sim.kubectl.messages import error_text
from gitops_sim.kubectl.session import Session, Work
from gitops_sim.kubectl.strictness import schema_of
from gitops_sim.types import Manifest

__all__ = ["DIFF_FLAGS", "diff"]

DIFF_FLAGS = {
    **FILE_FLAGS,
    "server-side": Flag(takes_value=False),
    "force-conflicts": Flag(takes_value=False),
    "field-manager": Flag(),
    "show-managed-fields": Flag(takes_value=False),
}
MASK, BEFORE, AFTER = "***", "*** (before)", "*** (after)"


def diff(session: Session, arguments: Arguments) -> Work:
    """Print the differences; 0: none, 1: some, more than 1: something went wrong."""
    loaded = load(session, arguments)
    if loaded.errors:
        session.err.append(error_text(loaded.errors))
        return 2
    different = False
    for item in loaded.found:
        yield session.step("diff", item.kind, item.name, namespace=item.namespace)
        try:
            live = session.cluster.get(item.kind.exact, item.name, item.namespace or None)
        except NotFoundError:
            live = None
        try:
            merged = _merged(session, arguments, item, live)
        except (ApiError, LabError) as refused:
            session.err.append(error_text([refused]))
            return 2
        text = _unified(item, live, merged, managed=arguments.on("show-managed-fields"))
        session.out.append(text)
        different = different or bool(text)
    return int(different)


def _merged(session: Session, arguments: Arguments, item: Found, live: Manifest | None) -> Manifest:
    """Return the object as it would be after an apply."""
    if arguments.on("server-side"):
        return session.cluster.apply(
            item.manifest,
            field_manager=arguments.text("field-manager", "kubectl"),
            force=arguments.on("force-conflicts"),
            dry_run=True,
        )
    manager = arguments.text("field-manager", CLIENT_SIDE)
    if live is None:
        return session.cluster.create(item.manifest, field_manager=manager, dry_run=True)
    schema = schema_of(item.kind)
    metadata = item.manifest["metadata"]
    # As kubectl does: `annotations` is there, the memory itself is not, so that it stays as it is.
    kept = {k: v for k, v in (metadata.get("annotations") or {}).items() if k != ANNOTATION}
    wanted = item.manifest | {"metadata": metadata | {"annotations": kept}}
    patch = client_side_patch(live, wanted, schema)
    if not patch:
        return live
    return session.cluster.patch(
        item.kind.exact,
        item.name,
        patch,
        item.namespace or None,
        type="merge" if schema is None else "strategic",
        field_manager=manager,
        dry_run=True,
    )


def _unified(item: Found, live: Manifest | None, merged: Manifest, *, managed: bool = False) -> str:
    """Return the unified diff of one object; empty when there is none."""
    before = _comparable(live or {}, managed=managed)
    after = _comparable(merged, managed=managed)
    if item.kind.kind == "Secret":
        _mask(before, after)
    old, new = (
        yaml_loader.dump(side).splitlines(keepends=True) if side else [] for side in (before, after)
    )
    group = f"{item.kind.group}." if item.kind.group else ""
    name = f"{group}{item.kind.version}.{item.kind.kind}.{item.namespace}.{item.name}"
    lines = list(difflib.unified_diff(old, new, f"LIVE/{name}", f"MERGED/{name}"))
    return f"diff -u -N LIVE/{name} MERGED/{name}\n{''.join(lines)}" if lines else ""


def _comparable(live: Manifest, *, managed: bool) -> dict[str, Any]:
    """Return a copy of an object, without managedFields unless they are wanted."""
    metadata = {
        key: value
        for key, value in (live.get("metadata") or {}).items()
        if managed or key != "managedFields"
    }
    return live | {"metadata": metadata} if live else {}


def _mask(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Hide the values of a Secret, but show which of them differ."""
    old, new = before.get("data") or {}, after.get("data") or {}
    if old:
        before["data"] = {k: BEFORE if k in new and new[k] != old[k] else MASK for k in old}
    if new:
        after["data"] = {k: AFTER if k in old and old[k] != new[k] else MASK for k in new}
