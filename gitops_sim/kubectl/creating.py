"""`kubectl create`, `run` and `replace`: objects from files, or made from flags."""

from __future__ import annotations

from gitops_sim.errors import ApiError, LabError
from gitops_sim.kubectl.arguments import Arguments, Flag
from gitops_sim.kubectl.generating import GENERATOR_FLAGS, GENERATORS, pod_of
from gitops_sim.kubectl.loading import FILE_FLAGS, Found, load
from gitops_sim.kubectl.messages import error_text, with_source
from gitops_sim.kubectl.printing import printed
from gitops_sim.kubectl.session import Session, Work
from gitops_sim.kubectl.strictness import refuse_unknown_fields
from gitops_sim.types import Manifest

__all__ = ["CREATE_FLAGS", "REPLACE_FLAGS", "RUN_FLAGS", "create", "replace", "run"]

COMMON = {
    "dry-run": Flag(),
    "output": Flag("o"),
    "field-manager": Flag(),
    "validate": Flag(),
}
CREATE_FLAGS = {**FILE_FLAGS, **COMMON, **GENERATOR_FLAGS}
REPLACE_FLAGS = {**FILE_FLAGS, **COMMON}
RUN_FLAGS = {**COMMON, **GENERATOR_FLAGS, "restart": Flag()}
SHORT = {"cm": "configmap", "deploy": "deployment", "ns": "namespace"}


def create(session: Session, arguments: Arguments) -> Work:
    """Create the objects of files, or one that flags describe."""
    if arguments.words:
        word, *names = arguments.words
        return (yield from _generated(session, arguments, word, names))
    loaded = load(session, arguments)
    errors = list(loaded.errors)
    for item in loaded.found:
        yield session.step("create", item.kind, item.name, namespace=item.namespace)
        try:
            refuse_unknown_fields(session, arguments, item, "creating")
            after = _sent(session, arguments, item.manifest, "kubectl-create")
        except ApiError as refused:
            errors.append(with_source(refused, "creating", item.source))
            continue
        printed(session, arguments, item, after, "created")
    if errors:
        session.err.append(error_text(errors))
    return 1 if errors else 0


def _sent(session: Session, arguments: Arguments, manifest: Manifest, manager: str) -> Manifest:
    """Send an object, unless this is a dry run of the client."""
    if arguments.dry_run == "client":
        return manifest
    return session.cluster.create(
        manifest,
        field_manager=arguments.text("field-manager", manager),
        dry_run=arguments.dry_run == "server",
    )


def _generated(session: Session, arguments: Arguments, word: str, names: list[str]) -> Work:
    """Create one object from flags: `create configmap settings --from-literal=level=3`."""
    kind = SHORT.get(word, word)
    if kind not in GENERATORS:
        problem = f'unknown command "{word}" for "kubectl create"'
        raise LabError(f"{problem}; here it creates: -f FILE, {', '.join(GENERATORS)}")
    if kind == "secret":
        if names[:1] != ["generic"]:
            raise LabError("of secrets, here it creates: kubectl create secret generic NAME")
        names = names[1:]
    if len(names) != 1:
        raise LabError(f"exactly one NAME is required, got {len(names)}")
    generator = GENERATORS[kind]
    manifest = generator.make(session, arguments, names[0])
    try:
        return (yield from _create_one(session, arguments, manifest, "kubectl-create"))
    except ApiError as refused:
        if not generator.failing:
            raise
        raise LabError(f"{generator.failing}{refused.message}") from None


def run(session: Session, arguments: Arguments) -> Work:
    """Create a pod: `run web --image=shop/web:1`."""
    if len(arguments.words) != 1:
        raise LabError("NAME is required for run")
    manifest = pod_of(arguments, arguments.words[0])
    if arguments.text("restart"):
        manifest["spec"]["restartPolicy"] = arguments.text("restart")
    return (yield from _create_one(session, arguments, manifest, "kubectl-run"))


def _create_one(session: Session, arguments: Arguments, manifest: Manifest, manager: str) -> Work:
    kind = session.kinds.of(manifest)
    if kind is None:
        raise LabError(f"the server doesn't have a resource type {manifest['kind']!r}")
    name = manifest["metadata"]["name"]
    namespace = session.namespace_of(kind) or ""
    if namespace and (session.namespace_given or namespace != "default"):
        manifest["metadata"]["namespace"] = namespace
    yield session.step("create", kind, name, namespace=namespace)
    after = _sent(session, arguments, manifest, manager)
    printed(session, arguments, Found("", manifest, kind, namespace, name), after, "created")
    return 0


def replace(session: Session, arguments: Arguments) -> Work:
    """Put the objects of files in the place of those that are there.

    Differs: `--dry-run=client` asks the server what would come of it, too.
    """
    if arguments.words:
        raise LabError(f"Unexpected args: {arguments.words}")
    loaded = load(session, arguments)
    errors = list(loaded.errors)
    for item in loaded.found:
        yield session.step("replace", item.kind, item.name, namespace=item.namespace)
        try:
            refuse_unknown_fields(session, arguments, item, "replacing")
            live = session.cluster.get(item.kind.exact, item.name, item.namespace or None)
            version = live["metadata"]["resourceVersion"]
            metadata = {"resourceVersion": version, **item.manifest["metadata"]}
            after = session.cluster.update(
                item.manifest | {"metadata": metadata},
                field_manager=arguments.text("field-manager", "kubectl-replace"),
                dry_run=arguments.dry_run != "none",
            )
        except ApiError as refused:
            errors.append(with_source(refused, "replacing", item.source))
            continue
        printed(session, arguments, item, after, "replaced")
    if errors:
        session.err.append(error_text(errors))
    return 1 if errors else 0
