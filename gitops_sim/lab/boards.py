"""The board of one cluster at any moment: Git rendered, the store read, both paired."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from gitops_sim.clock import VirtualClock
from gitops_sim.delivery import assess_health
from gitops_sim.errors import ApiError, InputError
from gitops_sim.forge import Forge
from gitops_sim.journal import Journal, facts
from gitops_sim.lab.declared import Connection, Declaration, GitHistory, declarations, rendered
from gitops_sim.lab.rows import Both, row_of
from gitops_sim.protocols import Reader
from gitops_sim.render import Renderer
from gitops_sim.types import Manifest, ResourceKey
from gitops_sim.viz import Board, BoardRow, TreeNode

__all__ = ["BoardMaker", "View"]

AGENTS = frozenset(
    {"kustomize-controller", "source-controller", "flux", "kubectl-client-side-apply"}
)
"""Field managers that deliver; a person who types `kubectl apply` looks like a pipeline."""
SYSTEM = frozenset({"kube-controller-manager", "kube-scheduler", "kubelet", "kube-apiserver"})
"""Field managers of the cluster itself."""
WORKLOADS = (
    "apps/v1/Deployment",
    "apps/v1/StatefulSet",
    "apps/v1/DaemonSet",
    "batch/v1/CronJob",
)
OTHERS = (
    *WORKLOADS,
    "v1/Service",
    "v1/ConfigMap",
    "networking.k8s.io/v1/Ingress",
)
"""Kinds of which the picture shows objects that Git never declared."""
NOT_OURS = ("default", "flux-system", "kube-node-lease", "kube-public", "kube-system")
BELOW = ("apps/v1/ReplicaSet", "batch/v1/Job", "v1/Pod")
"""What the tree shows below declared objects."""


def _is_by_hand(manager: str) -> bool:
    """Return True for a field manager that is neither an agent nor part of the cluster."""
    return manager not in AGENTS and manager not in SYSTEM and not manager.endswith("-controller")


@dataclass(frozen=True, slots=True)
class View:
    """A cluster to look at, and what renders what Git declares for it.

    Attributes:
        name: The cluster.
        reader: Its API.
        revision_at: Gives the resourceVersion of its store at a moment (seconds since the epoch).
        forge: Holds the repositories.
        renderer: Builds directories.
        connections: What pipelines deliver to it.
        watched: For each of its controllers the kinds that it watches.
    """

    name: str
    reader: Reader
    revision_at: Callable[[float], int]
    forge: Forge
    renderer: Renderer
    connections: Sequence[Connection]
    watched: Mapping[str, Sequence[str]]


class BoardMaker:
    """Makes boards of one cluster; what several moments share is looked up once."""

    def __init__(self, view: View, journal: Journal, clock: VirtualClock) -> None:
        self._view = view
        self._journal = journal
        self._clock = clock
        self._git = GitHistory(journal, view.name)
        self._namespaced = {
            (str(kind["group"]), str(kind["kind"])): bool(kind["namespaced"])
            for kind in view.reader.discover()
        }

    def declarations(self, time: float) -> list[Declaration]:
        """Return what was delivered to the cluster at a moment."""
        view = self._view
        at = str(view.revision_at(time))
        return declarations(view.reader, view.forge, view.connections, at=at)

    def board(self, time: float) -> Board:
        """Return the board at a moment, in seconds since the epoch."""
        found = self.declarations(time)
        now = self._clock.timestamp(time)
        rows: dict[ResourceKey, BoardRow] = {}
        problem = ""
        for declaration in found:
            try:
                pairs = list(self._pairs(declaration, time))
            except InputError as wrong:
                problem = problem or str(wrong)
                pairs = list(self._kept(declaration, time))
            for both in pairs:
                rows.setdefault(both.key, row_of(both, now))
        for both in self._undeclared(rows.keys(), time) if found else ():
            rows[both.key] = row_of(both, now)
        return Board(
            self._desired_heading(found, time),
            f"{self._view.name} · {now[11:19]}",
            problem or self._sentence(found, time, rows.keys()),
            tuple(rows.values()),
            is_broken=bool(problem),
        )

    def nodes(self, time: float) -> list[TreeNode]:
        """Return who made whom at a moment, from the agents' resources down to the pods.

        Where nobody delivers, the roots are the workloads that nobody owns.
        """
        now = self._clock.timestamp(time)
        nodes: list[TreeNode] = []
        owners: dict[str, ResourceKey] = {}

        def add(manifest: Manifest, owner: ResourceKey | None) -> None:
            key = ResourceKey.of(manifest)
            owners[str(manifest["metadata"].get("uid"))] = key
            health = str(assess_health(manifest, now=now).status)
            nodes.append(TreeNode(key, owner, health, _note(manifest)))

        declared = self.declarations(time)
        for declaration in declared:
            root = declaration.root or ResourceKey(
                "", "Pipeline", "", declaration.agent.removeprefix("push:").rstrip("/")
            )
            live = self._live(root, "", time) if declaration.root else None
            if live is not None:
                add(live, None)
            else:
                nodes.append(TreeNode(root, None, "Unknown"))
            known = {node.key for node in nodes}
            for both in self._pairs_or_kept(declaration, time):
                if both.live is not None and both.key not in known:
                    add(both.live, root)
        at = str(self._view.revision_at(time))
        for kind in BELOW if declared else (*WORKLOADS, *BELOW):
            for manifest in self._view.reader.list(kind, at=at):
                refs = manifest["metadata"].get("ownerReferences") or ()
                owner = next((owners[r["uid"]] for r in refs if r["uid"] in owners), None)
                is_root = not declared and manifest["metadata"]["namespace"] not in NOT_OURS
                if (owner is not None or is_root) and not _is_old(manifest):
                    add(manifest, owner)
        return nodes

    def is_shown(self, fact: facts.ObjectChanged) -> bool:
        """Return True when a write may change the board."""
        return fact.cluster == self._view.name and fact.kind not in ("Event", "Lease", "Node")

    def is_edit(self, fact: facts.ObjectChanged, known: Collection[ResourceKey]) -> bool:
        """Return True for a write to one of the known objects that a person made."""
        if fact.cluster != self._view.name or not _is_by_hand(fact.field_manager):
            return False
        told = (fact.kind, fact.namespace, fact.name)
        return any(told == (key.kind, key.namespace, key.name) for key in known)

    def _pairs_or_kept(self, declaration: Declaration, time: float) -> Sequence[Both]:
        try:
            return list(self._pairs(declaration, time))
        except InputError:
            return list(self._kept(declaration, time))

    def _kept(self, declaration: Declaration, time: float) -> Iterator[Both]:
        """Yield what stays while Git cannot be built: both sides of what was applied last."""
        applied_commit = self._git.applied(declaration.agent, time)
        before = self._manifests(declaration, applied_commit) if applied_commit else {}
        for key, manifest in before.items():
            live = self._live(key, str(manifest.get("apiVersion", "")), time)
            yield Both(key, manifest, manifest, live)

    def _pairs(self, declaration: Declaration, time: float) -> Iterator[Both]:
        head = self._git.head(declaration.repository.name, declaration.branch, time)
        applied_commit = self._git.applied(declaration.agent, time)
        wanted = self._manifests(declaration, head)
        before = self._manifests(declaration, applied_commit) if applied_commit else {}
        waits = head != applied_commit
        for key, manifest in wanted.items():
            live = self._live(key, str(manifest.get("apiVersion", "")), time)
            yield Both(key, manifest, before.get(key), live, waits)
        for key in dict.fromkeys([*declaration.owned, *before]):
            manifest_before = before.get(key)
            if key in wanted:
                continue
            version = str((manifest_before or {}).get("apiVersion", ""))
            live = self._live(key, version, time)
            if live is not None:
                fate = "extra: prune" if declaration.prunes else "extra: stays"
                yield Both(key, None, manifest_before, live, waits, fate)

    def _manifests(self, declaration: Declaration, commit: str) -> dict[ResourceKey, Manifest]:
        build = rendered(self._view.renderer, declaration, commit)
        if isinstance(build, InputError):
            raise build
        return {self._full_key(item.key): item.manifest for item in build.manifests}

    def _full_key(self, key: ResourceKey) -> ResourceKey:
        if not self._namespaced.get((key.group, key.kind), True):
            return replace(key, namespace="")
        return key if key.namespace else replace(key, namespace="default")

    def _live(self, key: ResourceKey, api_version: str, time: float) -> Manifest | None:
        kind = f"{api_version}/{key.kind}" if api_version else f"{key.kind}.{key.group}".rstrip(".")
        at = str(self._view.revision_at(time))
        try:
            return self._view.reader.get(kind, key.name, key.namespace or None, at=at)
        except ApiError:  # not there, or its kind is not
            return None

    def _undeclared(self, known: Collection[ResourceKey], time: float) -> Iterator[Both]:
        """Yield what lives beside declared objects in their namespaces and nobody declared."""
        namespaces = {key.namespace for key in known} - {"", *NOT_OURS}
        at = str(self._view.revision_at(time))
        for kind in OTHERS:
            for namespace in sorted(namespaces):
                for manifest in self._view.reader.list(kind, namespace, at=at):
                    key = ResourceKey.of(manifest)
                    owned = manifest["metadata"].get("ownerReferences")
                    if key in known or owned or key.name == "kube-root-ca.crt":
                        continue
                    yield Both(key, None, None, manifest)

    def _desired_heading(self, found: Sequence[Declaration], time: float) -> str:
        parts = []
        for declaration in found:
            head = self._git.head(declaration.repository.name, declaration.branch, time)
            parts.append(f"{declaration.repository.name} {declaration.branch}@{head[:7]}")
        return " · ".join(dict.fromkeys(parts)) or "nothing is delivered here"

    def _sentence(
        self, found: Sequence[Declaration], time: float, known: Collection[ResourceKey]
    ) -> str:
        """Return the last thing that happened to what the board shows, in one sentence."""
        names = {declaration.repository.name for declaration in found}
        kinds = (facts.ObjectChanged, facts.RevisionApplied, facts.CommitMade)
        for entry in reversed(self._journal.entries(*kinds, until=time)):
            fact, at = entry.fact, self._clock.timestamp(entry.time)[11:19]
            if isinstance(fact, facts.CommitMade) and fact.repository in names:
                subject = fact.message.partition("\n")[0]
                return f"{fact.author} committed {fact.commit[:7]} “{subject}” at {at}"
            if isinstance(fact, facts.RevisionApplied) and fact.cluster == self._view.name:
                return f"{fact.agent} applied {fact.commit[:7]} at {at}: {_counts(fact)}"
            if isinstance(fact, facts.ObjectChanged) and self.is_edit(fact, known):
                return f"{fact.field_manager} {_told(fact)} at {at}"
        return ""


def _counts(fact: facts.RevisionApplied) -> str:
    counts = (
        (fact.created, "created"),
        (fact.configured, "configured"),
        (fact.unchanged, "unchanged"),
        (fact.pruned, "pruned"),
    )
    return ", ".join(f"{number} {word}" for number, word in counts if number) or "nothing to do"


def _told(fact: facts.ObjectChanged) -> str:
    what = f"{fact.kind} {fact.name}"
    if fact.verb == "delete":
        return f"deleted {what}"
    if fact.verb == "create":
        return f"created {what}"
    return f"changed {', '.join(fact.paths[:2])} of {what}"


def _note(manifest: Manifest) -> str:
    """Return a few words on an object: `2/3 ready`, a pod's phase."""
    spec, status = manifest.get("spec") or {}, manifest.get("status") or {}
    if manifest["kind"] == "Pod":
        return str(status.get("phase", ""))
    if "replicas" in spec and manifest["kind"] != "Service":
        return f"{status.get('readyReplicas', 0)}/{spec['replicas']} ready"
    return ""


def _is_old(manifest: Manifest) -> bool:
    """Return True for a ReplicaSet that only remembers a revision."""
    return manifest["kind"] == "ReplicaSet" and not (manifest.get("spec") or {}).get("replicas")
