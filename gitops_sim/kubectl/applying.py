"""`kubectl apply`: client-side, with the memory in an annotation, or server-side.

One object after the other, in the order of the files: an error of one does not stop the next, so
a run that meets errors leaves the cluster half-applied, as kubectl does.

Source: k8s.io/kubectl pkg/cmd/apply/apply.go, patcher.go.
Differs: a server-side apply reads the object first, and does not take over the fields of an earlier
client-side one (kubectl rewrites managedFields then).
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

from gitops_sim.apimachinery import last_applied, patches
from gitops_sim.apimachinery.schemas import Schema
from gitops_sim.errors import ApiError, ConflictError, LabError, NotFoundError
from gitops_sim.kubectl.arguments import Arguments, Flag
from gitops_sim.kubectl.loading import FILE_FLAGS, Found, load
from gitops_sim.kubectl.messages import error_text, with_source
from gitops_sim.kubectl.printing import printed
from gitops_sim.kubectl.pruning import PRUNE_FLAGS, check_prune, prune
from gitops_sim.kubectl.session import APPLY_TAKES, REQUEST_TAKES, Session, Work
from gitops_sim.kubectl.strictness import refuse_unknown_fields, schema_of
from gitops_sim.types import Manifest

__all__ = ["APPLY_FLAGS", "CLIENT_SIDE", "apply", "client_side_patch"]

CLIENT_SIDE = "kubectl-client-side-apply"
"""Field manager of a client-side apply."""
APPLY_FLAGS = {
    **FILE_FLAGS,
    "dry-run": Flag(),
    "server-side": Flag(takes_value=False),
    "force-conflicts": Flag(takes_value=False),
    "field-manager": Flag(),
    "output": Flag("o"),
    "validate": Flag(),
    "wait": Flag(takes_value=False),
    **PRUNE_FLAGS,
}
NO_MEMORY = (
    f"resource {{}} is missing the {last_applied.ANNOTATION} annotation which is required by "
    "kubectl apply. kubectl apply should only be used on resources created declaratively by either "
    "kubectl create --save-config or kubectl apply. The missing annotation will be patched "
    "automatically."
)
CONFLICT = """{}
Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the `--force-conflicts` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts"""


def apply(session: Session, arguments: Arguments) -> Work:
    """Apply all objects; the exit status is 1 when any of them failed."""
    if arguments.words:
        raise LabError(
            f"Unexpected args: {arguments.words}\nSee 'kubectl apply -h' for help and examples"
        )
    server_side = arguments.on("server-side")
    if arguments.on("force-conflicts") and not server_side:
        raise LabError("--force-conflicts only works with --server-side")
    if server_side and arguments.dry_run == "client":
        problem = "--dry-run=client doesn't work with --server-side "
        raise LabError(f"{problem}(did you mean --dry-run=server instead?)")
    check_prune(arguments)
    loaded = load(session, arguments)
    errors = list(loaded.errors)
    applied: list[Manifest] = []
    if not loaded.found and not errors:
        raise LabError("no objects passed to apply")
    one: Callable[[Session, Arguments, Found], tuple[Manifest, str]]
    one, takes = (_server_side, REQUEST_TAKES) if server_side else (_client_side, APPLY_TAKES)
    for item in loaded.found:
        yield session.step("apply", item.kind, item.name, namespace=item.namespace, takes=takes)
        try:
            after, operation = one(session, arguments, item)
        except (ApiError, LabError) as refused:
            errors.append(refused)
            continue
        if arguments.dry_run == "none" and not server_side:
            session.done.append(operation)
        applied.append(after)
        printed(session, arguments, item, after, operation)
    if errors:
        session.err.append(error_text(errors))
        return 1
    if arguments.on("prune"):
        yield from prune(session, arguments, applied)
    return 0


def _want_name(item: Found) -> None:
    if item.name:
        return
    prefix = item.manifest["metadata"].get("generateName")
    if prefix:
        raise LabError(f"from {prefix}: cannot use generate name with apply")
    doing = f'error when retrieving current configuration of "{item.source}"'
    raise LabError(f"{doing}: resource name may not be empty")


def _server_side(session: Session, arguments: Arguments, item: Found) -> tuple[Manifest, str]:
    """Send the object for the server to merge."""
    _want_name(item)
    before: Manifest | None = None
    with contextlib.suppress(NotFoundError):
        before = session.cluster.get(item.kind.exact, item.name, item.namespace or None)
    try:
        after = session.cluster.apply(
            item.manifest,
            field_manager=arguments.text("field-manager", "kubectl"),
            force=arguments.on("force-conflicts"),
            dry_run=arguments.dry_run == "server",
        )
    except ConflictError as refused:
        raise LabError(CONFLICT.format(refused.message)) from None
    if arguments.dry_run == "none":
        session.done.append(_done(before, after))
    return after, "serverside-applied"


def _done(before: Manifest | None, after: Manifest) -> str:
    """Return what a server-side apply did, which kubectl does not print."""
    if before is None:
        return "created"
    same = before["metadata"].get("resourceVersion") == after["metadata"].get("resourceVersion")
    return "unchanged" if same else "configured"


def _client_side(session: Session, arguments: Arguments, item: Found) -> tuple[Manifest, str]:
    """Create the object, or patch what differs from it."""
    _want_name(item)
    modified = last_applied.annotated(item.manifest)
    try:
        live = session.cluster.get(item.kind.exact, item.name, item.namespace or None)
    except NotFoundError:
        return _create(session, arguments, item, modified)
    if last_applied.ANNOTATION not in (live["metadata"].get("annotations") or {}):
        session.warn(NO_MEMORY.format(f"{item.kind.plural}/{item.name}"))
    schema = schema_of(item.kind)
    patch = client_side_patch(live, modified, schema)
    if live["metadata"].get("deletionTimestamp"):
        shown = f"{item.kind.plural}/{item.name}"
        session.warn(f"Detected changes to resource {shown} which is currently being deleted.")
    if not patch:
        return live, "unchanged"
    if arguments.dry_run == "client":
        return _patched_locally(live, patch, schema), "configured"
    refuse_unknown_fields(session, arguments, item, "patching", patch=patch)
    try:
        after = session.cluster.patch(
            item.kind.exact,
            item.name,
            patch,
            item.namespace or None,
            type="merge" if schema is None else "strategic",
            field_manager=arguments.text("field-manager", CLIENT_SIDE),
            dry_run=arguments.dry_run == "server",
        )
    except ApiError as refused:
        text = json.dumps(patch, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        place = f'{item.kind.described}\nName: "{item.name}", Namespace: "{item.namespace}"'
        doing = f"applying patch:\n{text}\nto:\n{place}\nfor:"
        patching = with_source(refused, "patching", item.source)
        raise with_source(patching, doing, item.source) from None
    return after, "configured"


def client_side_patch(live: Manifest, modified: Manifest, schema: Schema | None) -> dict[str, Any]:
    """Return the patch that a client-side apply sends; empty when nothing is to be done.

    Args:
        live: The object as it is.
        modified: What is applied, with the annotation.
        schema: The kind's schema; None for a custom resource.
    """
    return last_applied.three_way_patch(last_applied.original_of(live), modified, live, schema)


def _create(
    session: Session, arguments: Arguments, item: Found, modified: Manifest
) -> tuple[Manifest, str]:
    """Create an object that is not there; members that are null are left out, as a patch would."""
    wanted = _without_nulls(modified)
    if arguments.dry_run == "client":
        return wanted, "created"
    refuse_unknown_fields(session, arguments, item, "creating")
    try:
        after = session.cluster.create(
            wanted,
            field_manager=arguments.text("field-manager", CLIENT_SIDE),
            dry_run=arguments.dry_run == "server",
        )
    except ApiError as refused:
        raise with_source(refused, "creating", item.source) from None
    return after, "created"


def _patched_locally(live: Manifest, patch: dict[str, Any], schema: Schema | None) -> Manifest:
    if schema is None:
        merged: Manifest = patches.merge_patch(live, patch)
    else:
        merged = patches.strategic_merge(live, patch, schema)
    return merged


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(member) for key, member in value.items() if member is not None}
    if isinstance(value, list):
        return [_without_nulls(member) for member in value]
    return value
