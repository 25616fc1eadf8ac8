"""source-controller: a branch of a repository becomes an artifact that others fetch.

One GitRepository, from poll to poll: its remote is asked which commit its ref means. The same as
last time: nothing is written. Another: the condition says so, the files are packed and stored, the
status names the new artifact, and whoever watches GitRepositories goes to work. A remote that
does not answer makes it not ready; the artifact that is there stays and is used on.

Source: fluxcd/source-controller internal/controller/gitrepository_controller.go.
Differs: the event `GitOperationSucceeded` of a poll without news is written once per revision and
not counted up at each poll, so that an idle lab writes nothing.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from gitops_sim.errors import GitError, NotFoundError
from gitops_sim.journal.facts import ArtifactStored, SourcePolled
from gitops_sim.protocols import Cluster, GitRemote
from gitops_sim.pull.flux.artifacts import pack_tree
from gitops_sim.pull.flux.git_spec import GitRepositorySpec
from gitops_sim.pull.flux.jitter import jittered
from gitops_sim.pull.flux.names import GIT_REPOSITORY, SOURCE_CONTROLLER, SOURCE_GROUP
from gitops_sim.pull.flux.options import Pace
from gitops_sim.pull.flux.refs import GitFailure, Upstream, look_upstream
from gitops_sim.pull.flux.status import FluxObject, ObjectWriter, Work
from gitops_sim.pull.flux.toolkit import FluxEvents, Toolkit
from gitops_sim.runtime import Caches, Request
from gitops_sim.types import Result, Step

__all__ = ["SourceReconciler"]

_OUTCOMES = ("FetchFailed", "StorageOperationFailed", "ArtifactOutdated", "Stalled", "Reconciling")
"""Conditions that a pass which went well leaves none of."""


class SourceReconciler:
    """The reconcile function of source-controller, from one start to the next.

    Args:
        toolkit: The world.
        client: Writes status and events.
        caches: Holds the GitRepositories.
    """

    def __init__(self, toolkit: Toolkit, client: Cluster, caches: Caches) -> None:
        self._toolkit = toolkit
        self._client = client
        self._cache = caches[GIT_REPOSITORY]
        self._writer = ObjectWriter(client, toolkit.clock, GIT_REPOSITORY, SOURCE_CONTROLLER)
        self._events = FluxEvents(client, SOURCE_CONTROLLER, SOURCE_GROUP, toolkit.clock)
        self._told: dict[Request, str] = {}

    def reconcile(self, request: Request) -> Generator[Any, Any, Result | None]:
        """Bring one GitRepository up to date with its remote."""
        manifest = self._cache.get(request.name, request.namespace)
        if manifest is None:
            self._told.pop(request, None)
            return None
        source = FluxObject(manifest, self._writer)
        if manifest["metadata"].get("deletionTimestamp"):
            yield from self._finalize(source)
            return None
        if not source.has_finalizer:
            yield from source.add_finalizer()
            return Result(self._toolkit.options.min_retry_delay)
        spec = GitRepositorySpec.from_manifest(manifest)
        if spec.suspend:
            return None
        if spec.unsupported:
            yield from self._stall(source, f"spec.{spec.unsupported} is not supported in this lab")
            return None
        return (yield from self._pass(source, spec))

    def _pass(
        self, source: FluxObject, spec: GitRepositorySpec
    ) -> Generator[Any, Any, Result | None]:
        yield from self._begin(source)
        yield from self._check_storage(source)
        yield Step("list remote refs", Pace.LIST_REFS, source.subject)
        found = self._look(source, spec)
        if isinstance(found, Upstream):
            changed = self._is_news(source, spec, found)
            self._tell_poll(source, spec, found.revision, changed=changed)
            had_failed = source.is_true("FetchFailed")
            source.remove("FetchFailed")
            if not changed:
                return (yield from self._no_news(source, spec, found, recovered=had_failed))
            found = yield from self._store(source, spec, found)
        if isinstance(found, GitFailure):
            yield from self._fail(source, found)
            raise GitError(found.message)
        return (yield from self._finish(source, spec))

    def _begin(self, source: FluxObject) -> Work:
        """Say that something is done, when there is a new spec or a request."""
        message = "reconciliation in progress"
        is_new_spec = source.generation != source.observed_generation
        if is_new_spec:
            old, new = source.observed_generation, source.generation
            message = f"processing object: new generation {old} -> {new}"
        _progress(source, message)
        if is_new_spec or source.has_new_request:
            yield from source.patch()

    def _check_storage(self, source: FluxObject) -> Work:
        """Drop what the status names but the storage has not, and what is old."""
        options, storage = self._toolkit.options, self._toolkit.storage
        artifact = source.status.get("artifact")
        message = "building artifact"
        if artifact and artifact["path"] not in storage:
            del source.status["artifact"]
            artifact = None
            message += ": disappeared from storage"
        if artifact is None:
            source.remove("ArtifactInStorage")
            _progress(source, message, is_news=True)
            yield from source.patch()
            return
        gone = storage.collect_garbage(
            _folder(source),
            artifact["path"],
            ttl=options.retention_ttl,
            records=options.retention_records,
        )
        if gone:
            text = f"garbage collected {gone} artifacts"
            self._events.info(source, "GarbageCollectionSucceeded", text)

    def _look(self, source: FluxObject, spec: GitRepositorySpec) -> Upstream | GitFailure:
        if spec.secret:
            try:
                self._client.get("v1/Secret", spec.secret, source.namespace)
            except NotFoundError as error:
                problem = f"failed to get secret '{source.namespace}/{spec.secret}': {error}"
                return GitFailure("AuthenticationFailed", problem)
        return look_upstream(self._toolkit.find_remote(spec.url), spec)

    def _is_news(self, source: FluxObject, spec: GitRepositorySpec, found: Upstream) -> bool:
        status = source.status
        return (
            (status.get("artifact") or {}).get("revision") != found.revision
            or status.get("observedIgnore") != spec.ignore
            or tuple(status.get("observedSparseCheckout") or ()) != spec.sparse_checkout
        )

    def _no_news(
        self, source: FluxObject, spec: GitRepositorySpec, found: Upstream, *, recovered: bool
    ) -> Generator[Any, Any, Result | None]:
        request = Request(source.namespace, source.name)
        text = f"no changes since last reconciliation: observed revision '{found.revision}'"
        if recovered:
            remote = self._toolkit.find_remote(spec.url)
            stored = f"stored artifact for commit '{_subject(remote, found.commit)}'"
            self._events.info(source, "Succeeded", stored, _meta(source))
        elif self._told.get(request) != text:
            self._events.info(source, "GitOperationSucceeded", text)
            self._told[request] = text
        return (yield from self._finish(source, spec))

    def _store(
        self, source: FluxObject, spec: GitRepositorySpec, found: Upstream
    ) -> Generator[Any, Any, Upstream | GitFailure]:
        """Pack the new revision; the failure is that of a remote that went away meanwhile."""
        if (source.status.get("artifact") or {}).get("revision") != found.revision:
            message = f"new upstream revision '{found.revision}'"
            if source.status.get("artifact"):
                source.set("ArtifactOutdated", "True", "NewRevision", message)
            _progress(source, f"building artifact: {message}", is_news=True)
            yield from source.patch()
        yield Step("clone", Pace.CLONE, source.subject)
        try:
            remote = self._toolkit.find_remote(spec.url)
            tree = remote.tree(found.commit)
            subject = _subject(remote, found.commit)
            files = pack_tree(tree, ignore=spec.ignore, sparse=spec.sparse_checkout)
        except GitError as error:
            git_says = str(error).removeprefix("fatal: ")
            problem = f"unable to clone '{spec.url}': {git_says}"
            text = f"failed to checkout and determine revision: {problem}"
            return GitFailure("GitOperationFailed", text)
        yield Step("store artifact", Pace.STORE, source.subject)
        artifact = self._toolkit.storage.store(_folder(source), found.commit, found.revision, files)
        source.status["artifact"] = {
            "digest": artifact.digest,
            "lastUpdateTime": self._toolkit.clock.timestamp(),
            "path": artifact.path,
            "revision": artifact.revision,
            "size": artifact.size,
            "url": artifact.url,
        }
        _observe(source, "observedIgnore", spec.ignore)
        _observe(source, "observedSparseCheckout", list(spec.sparse_checkout) or None)
        text = f"stored artifact for revision '{found.revision}'"
        source.set("ArtifactInStorage", "True", "Succeeded", text)
        self._toolkit.journal.record(
            ArtifactStored(source.agent, source.subject, found.revision, artifact.digest)
        )
        commit_text = f"stored artifact for commit '{subject}'"
        self._events.info(source, "NewArtifact", commit_text, _meta(source))
        return found

    def _finish(
        self, source: FluxObject, spec: GitRepositorySpec
    ) -> Generator[Any, Any, Result | None]:
        toolkit = self._toolkit
        stored = source.condition("ArtifactInStorage")
        source.remove(*_OUTCOMES)
        source.set("Ready", "True", stored["reason"], stored["message"])
        source.status["observedGeneration"] = source.generation
        source.handle_request()
        yield from source.patch()
        stream = toolkit.clock.random(f"jitter/{source.agent}")
        return Result(jittered(spec.interval, stream, toolkit.options.interval_jitter))

    def _fail(self, source: FluxObject, failure: GitFailure) -> Work:
        agent, url = source.agent, source.manifest["spec"]["url"]
        self._toolkit.journal.record(SourcePolled(agent, url, "", changed=False))
        source.set("FetchFailed", "True", failure.reason, failure.message)
        source.set("Ready", "False", failure.reason, failure.message)
        present = source.condition("Reconciling")
        source.set("Reconciling", "True", "ProgressingWithRetry", present["message"])
        source.handle_request()
        self._events.error(source, failure.reason, failure.message)
        yield from source.patch()

    def _stall(self, source: FluxObject, message: str) -> Work:
        """Give up until the spec changes."""
        source.remove("Reconciling")
        source.set("Stalled", "True", "FeatureGateDisabled", message)
        source.set("Ready", "False", "FeatureGateDisabled", message)
        source.status["observedGeneration"] = source.generation
        source.handle_request()
        self._events.error(source, "FeatureGateDisabled", message)
        yield from source.patch()

    def _finalize(self, source: FluxObject) -> Work:
        """Let a deleted GitRepository go, with its artifacts."""
        self._toolkit.storage.remove_all(_folder(source))
        if source.has_finalizer:
            text = "garbage collected artifacts for deleted resource"
            self._events.info(source, "GarbageCollectionSucceeded", text)
            yield from source.remove_finalizer()

    def _tell_poll(
        self, source: FluxObject, spec: GitRepositorySpec, revision: str, *, changed: bool
    ) -> None:
        fact = SourcePolled(source.agent, spec.url, revision, changed)
        self._toolkit.journal.record(fact)


def _progress(source: FluxObject, message: str, *, is_news: bool = False) -> None:
    """Say what is being done; readiness is open only when there is news, or was before."""
    if is_news or source.condition("Ready").get("status", "Unknown") == "Unknown":
        source.set("Ready", "Unknown", "Progressing", message)
    source.set("Reconciling", "True", "Progressing", message)


def _observe(source: FluxObject, field: str, value: Any) -> None:
    if value is None:
        source.status.pop(field, None)
    else:
        source.status[field] = value


def _subject(remote: GitRemote, commit: str) -> str:
    """Return the first line of what a commit says."""
    return remote.message(commit).strip().partition("\n")[0]


def _folder(source: FluxObject) -> str:
    return f"gitrepository/{source.namespace}/{source.name}"


def _meta(source: FluxObject) -> dict[str, str]:
    artifact = source.status["artifact"]
    return {"digest": artifact["digest"], "revision": artifact["revision"]}
