"""What Git declares for a cluster, at any moment: who delivers which directory of which branch."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from gitops_sim.delivery import parse_object_id
from gitops_sim.errors import ApiError, GitOpsSimError, InputError
from gitops_sim.forge import Forge, Repository
from gitops_sim.journal import Journal, facts
from gitops_sim.protocols import Reader, TreeReader
from gitops_sim.pull.flux.git_spec import GitRepositorySpec
from gitops_sim.pull.flux.ignoring import artifact_files
from gitops_sim.pull.flux.kustomization_spec import KustomizationSpec
from gitops_sim.render import Build, BuildOptions, Renderer, Subset, as_kubectl_takes
from gitops_sim.types import Manifest, ResourceKey

__all__ = ["Connection", "Declaration", "GitHistory", "artifact", "declarations", "rendered"]

KUSTOMIZATION = "kustomize.toolkit.fluxcd.io/v1/Kustomization"
GIT_REPOSITORY = "source.toolkit.fluxcd.io/v1/GitRepository"


@dataclass(frozen=True, slots=True)
class Connection:
    """A repository whose pipelines deliver a directory of a branch to a cluster."""

    repository: str
    branch: str
    path: str


@dataclass(frozen=True, slots=True)
class Declaration:
    """One directory that is delivered to a cluster.

    Attributes:
        agent: Who delivers it, as the journal names agents; a push agent ends with `/`, and all
            workflows of its repository are meant.
        repository: Where it stands.
        branch: Of that repository.
        path: The directory.
        options: What the agent adds to the build.
        root: The agent's own resource; None for push.
        owned: What the agent's inventory holds.
        prunes: Whether the agent removes what left Git.
        ignore: `spec.ignore` of the agent's source.
    """

    agent: str
    repository: Repository
    branch: str
    path: str
    options: BuildOptions = field(default_factory=lambda: BuildOptions(own_folder_only=True))
    root: ResourceKey | None = None
    owned: tuple[ResourceKey, ...] = ()
    prunes: bool = False
    ignore: str | None = None


class GitHistory:
    """Where branches stood and what was applied, at any moment of a journal."""

    def __init__(self, journal: Journal, cluster: str) -> None:
        self._heads: dict[tuple[str, str], tuple[list[float], list[str]]] = {}
        self._applied: dict[str, tuple[list[float], list[str]]] = {}
        for entry in journal.entries(facts.BranchMoved):
            if isinstance(entry.fact, facts.BranchMoved):
                key = (entry.fact.repository, entry.fact.branch)
                times, commits = self._heads.setdefault(key, ([], []))
                times.append(entry.time)
                commits.append(entry.fact.new)
        for entry in journal.entries(facts.RevisionApplied):
            if isinstance(entry.fact, facts.RevisionApplied) and entry.fact.cluster == cluster:
                times, commits = self._applied.setdefault(entry.fact.agent, ([], []))
                times.append(entry.time)
                commits.append(entry.fact.commit)

    def head(self, repository: str, branch: str, time: float) -> str:
        """Return the commit of a branch at a moment; "" when there was none."""
        return _latest(self._heads.get((repository, branch)), time)[1]

    def applied(self, agent: str, time: float) -> str:
        """Return the commit that an agent had applied last; "" for none.

        An agent that ends with `/` stands for all that begin so (the workflows of a repository).
        """
        names = (
            [name for name in self._applied if name.startswith(agent)]
            if agent.endswith("/")
            else [agent]
        )
        return max((_latest(self._applied.get(name), time) for name in names), default=(0.0, ""))[1]


def _latest(series: tuple[list[float], list[str]] | None, time: float) -> tuple[float, str]:
    if series is None:
        return (-1.0, "")
    index = bisect_right(series[0], time)
    return (series[0][index - 1], series[1][index - 1]) if index else (-1.0, "")


def declarations(
    reader: Reader, forge: Forge, connections: Sequence[Connection], *, at: str | None = None
) -> list[Declaration]:
    """Return what is delivered to a cluster: Flux's Kustomizations, then connected pipelines.

    Args:
        reader: The cluster.
        forge: Holds the repositories that sources point to.
        connections: What pipelines deliver.
        at: A resourceVersion of the past.
    """
    found = [
        declaration
        for manifest in _list(reader, KUSTOMIZATION, at)
        if (declaration := _of_flux(reader, forge, manifest, at)) is not None
    ]
    for connection in connections:
        repository = forge.repository(connection.repository)
        agent = f"push:{repository.name}/"
        found.append(Declaration(agent, repository, connection.branch, connection.path))
    return found


def _list(reader: Reader, kind: str, at: str | None) -> Sequence[Manifest]:
    try:
        return reader.list(kind, at=at)
    except ApiError:  # Flux is not installed there
        return ()


def _of_flux(
    reader: Reader, forge: Forge, manifest: Manifest, at: str | None
) -> Declaration | None:
    spec = KustomizationSpec.from_manifest(manifest)
    try:
        found = reader.get(GIT_REPOSITORY, spec.source.name, spec.source.namespace, at=at)
    except ApiError:
        return None
    source = GitRepositorySpec.from_manifest(found)
    repositories = [r for r in forge.repositories if forge.url(r.name) == source.url]
    if not repositories:
        return None
    metadata = manifest["metadata"]
    entries = ((manifest.get("status") or {}).get("inventory") or {}).get("entries") or ()
    return Declaration(
        f"flux:{metadata['namespace']}/{metadata['name']}",
        repositories[0],
        source.ref.branch or repositories[0].default_branch,
        spec.path.removeprefix("./").strip("/"),
        spec.build,
        ResourceKey.of(manifest),
        tuple(parse_object_id(str(entry["id"])) for entry in entries),
        spec.prune,
        source.ignore,
    )


def rendered(renderer: Renderer, declaration: Declaration, commit: str) -> Build | InputError:
    """Return the objects of a declaration at a commit, or why they cannot be built."""
    if not commit:
        return Build([], "plain")
    try:
        tree = declaration.repository.tree(commit)
        taken = _as_taken(declaration, tree)
        return renderer.build(taken, declaration.path, options=declaration.options)
    except InputError as wrong:
        return wrong
    except GitOpsSimError as wrong:
        return InputError("", 0, str(wrong))


def _as_taken(declaration: Declaration, tree: TreeReader) -> TreeReader:
    """Return the files that who delivers takes: kubectl and a source each leave some out."""
    if declaration.root is None:
        return as_kubectl_takes(tree, declaration.path)
    return artifact(tree, ignore=declaration.ignore)


def artifact(tree: TreeReader, *, ignore: str | None = None) -> TreeReader:
    """Return the files of a revision that Flux's source-controller packs.

    Args:
        tree: The revision.
        ignore: `spec.ignore` of the GitRepository.
    """
    packed = artifact_files(tree, ignore=ignore)
    return tree if len(packed) == len(tree.files()) else Subset(tree, packed)
