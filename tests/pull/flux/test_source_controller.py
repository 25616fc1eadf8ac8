"""source-controller: polls, artifacts, outages, references, and what an idle day costs."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from gitops_sim.journal import facts
from gitops_sim.pull.flux import FluxOptions

Write = Callable[..., str]
URL = "https://git.example.com/shop.git"


def artifact(world: Any, name: str = "repo") -> dict[str, Any]:
    found: dict[str, Any] = world.status("gitrepository", name).get("artifact", {})
    return found


def poll(world: Any, **spec: Any) -> None:
    if not world.forge.repositories:
        world.forge.create_repository("shop", {"a.yaml": "a: 1\n"})
    world.source(**spec)
    world.run(2)


def test_an_artifact_names_commit_path_and_digest(world: Any) -> None:
    poll(world)
    commit = world.repository.head()
    found = artifact(world)
    assert found["revision"] == f"main@sha1:{commit}"
    assert found["path"] == f"gitrepository/shop/repo/{commit}.tar.gz"
    assert found["url"].endswith(f"/{found['path']}")
    assert found["digest"].startswith("sha256:")
    assert found["size"] > 0


def test_an_idle_source_writes_nothing_and_takes_few_events(world: Any) -> None:
    poll(world, interval="1m")
    world.run(120)
    writes, events = world.server.writes, world.clock.events
    polls = len(world.journal.facts(facts.SourcePolled))
    world.run(3600)
    assert world.server.writes == writes
    assert len(world.journal.facts(facts.SourcePolled)) - polls in (59, 60)
    assert world.clock.events - events <= 60 * 5


def test_a_revision_that_stays_is_told_once_by_an_event(world: Any) -> None:
    poll(world)
    world.run(60)
    assert [reason for _, reason, _ in world.events("GitRepository")] == [
        "NewArtifact",
        "GitOperationSucceeded",
    ]


def test_polls_are_spread_by_the_jitter(new_world: Callable[..., Any]) -> None:
    world = new_world(options=FluxOptions())
    poll(world, interval="1m")
    world.run(1200)
    times = [entry.time for entry in world.journal.entries(facts.SourcePolled)]
    gaps = [later - earlier for earlier, later in pairwise(times[1:])]
    assert all(57.0 <= gap <= 63.1 for gap in gaps)
    assert len({round(gap, 3) for gap in gaps}) > len(gaps) / 2


def test_an_outage_keeps_the_artifact_backs_off_and_is_recovered_from(
    world: Any, manifest: Write
) -> None:
    files = {"app/cm.yaml": manifest("ConfigMap", "settings", data={"a": "1"})}
    world.deliver(files, interval="5m")
    world.forge.take_down()
    world.run(3600)
    status, reason, message = world.ready("repo", "gitrepository")
    assert (status, reason) == ("False", "GitOperationFailed")
    assert message.startswith(
        f"failed to checkout and determine revision: unable to clone '{URL}': unable to access"
    )
    assert world.condition("gitrepository", "repo", "Reconciling")["reason"] == (
        "ProgressingWithRetry"
    )
    times = [e.time for e in world.journal.entries(facts.SourcePolled) if not e.fact.revision]
    gaps = [round(later - earlier) for earlier, later in pairwise(times)]
    assert gaps[:8] == [1, 2, 3, 6, 12, 24, 48, 96]
    assert max(gaps) == 900
    world.people.patch("configmap", "settings", {"data": {"a": "hand"}}, "shop")
    world.run(301)
    assert world.get("configmap", "settings")["data"] == {"a": "1"}  # goes on with the old one
    assert world.ready()[0] == "True"
    world.forge.bring_back()
    world.run(901)
    assert world.ready("repo", "gitrepository")[:2] == ("True", "Succeeded")
    assert world.condition("gitrepository", "repo", "FetchFailed") == {}
    said = ("Normal", "Succeeded", "stored artifact for commit 'Initial commit'")
    assert said in world.events("GitRepository")


@pytest.mark.parametrize(
    ("ref", "expected"),
    [
        ({"branch": "dev"}, "dev@sha1:"),
        ({"tag": "v1.1.0"}, "v1.1.0@sha1:"),
        ({"semver": "~1.0"}, "v1.0.2@sha1:"),
        ({"semver": ">=1.0.0 <2.0.0", "branch": "main"}, "v1.1.0@sha1:"),
        ({"name": "refs/heads/dev"}, "refs/heads/dev@sha1:"),
    ],
)
def test_references(world: Any, ref: dict[str, str], expected: str) -> None:
    repository = world.forge.create_repository("shop", {"a.yaml": "a: 1\n"})
    repository.create_branch("dev")
    for tag in ("v1.0.0", "v1.0.2", "v1.1.0", "v2.0.0-rc.1", "latest"):
        repository.tag(tag)
    poll(world, ref=ref)
    assert artifact(world)["revision"].startswith(expected)


def test_a_commit_alone_has_no_branch_in_its_revision(world: Any) -> None:
    repository = world.forge.create_repository("shop", {"a.yaml": "a: 1\n"})
    first = repository.head()
    repository.commit({"a.yaml": "a: 2\n"}, "second")
    poll(world, ref={"commit": first})
    assert artifact(world)["revision"] == f"sha1:{first}"
    world.source("on-branch", ref={"commit": first, "branch": "main"})
    world.run(2)
    assert artifact(world, "on-branch")["revision"] == f"main@sha1:{first}"


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        ({"branch": "no"}, f"unable to clone '{URL}': couldn't find remote ref \"refs/heads/no\""),
        ({"semver": "3.x"}, f"unable to clone '{URL}': no match found for semver: 3.x"),
        ({"semver": "what"}, "semver parse error: improper constraint: what"),
        (
            {"commit": "0" * 40},
            f"unable to resolve commit object for '{'0' * 40}': object not found",
        ),
    ],
)
def test_references_that_mean_nothing(world: Any, ref: dict[str, str], message: str) -> None:
    poll(world, ref=ref)
    assert world.ready("repo", "gitrepository") == (
        "False",
        "GitOperationFailed",
        f"failed to checkout and determine revision: {message}",
    )


def test_an_empty_repository_is_said_to_be_empty(world: Any) -> None:
    world.forge.create_repository("shop")
    poll(world)
    found = world.ready("repo", "gitrepository")
    assert found == ("False", "EmptyGitRepository", "git repository is empty")


def test_a_secret_that_is_missing_is_an_authentication_failure(world: Any) -> None:
    poll(world, secretRef={"name": "token"})
    assert world.ready("repo", "gitrepository")[1:] == (
        "AuthenticationFailed",
        "failed to get secret 'shop/token': secrets \"token\" not found",
    )


def test_a_new_ignore_rule_makes_a_new_artifact_of_the_same_revision(world: Any) -> None:
    world.forge.create_repository("shop", {"a.yaml": "a: 1\n", "docs/x.yaml": "x: 1\n"})
    poll(world)
    before = artifact(world)
    world.source(ignore="docs/\n")
    world.run(2)
    after = artifact(world)
    assert after["revision"] == before["revision"]
    assert after["digest"] != before["digest"]
    assert world.status("gitrepository", "repo")["observedIgnore"] == "docs/\n"


def test_a_suspended_source_is_not_polled(world: Any) -> None:
    poll(world)
    before = artifact(world)
    world.flux.suspend("source git", "repo", namespace="shop")
    world.repository.commit({"a.yaml": "a: 2\n"}, "second")
    world.run(60)
    assert artifact(world) == before
    world.flux.resume("source git", "repo", namespace="shop")
    world.run(2)
    assert artifact(world)["revision"] == f"main@sha1:{world.repository.head()}"


def test_a_request_polls_at_once_and_is_noted(world: Any) -> None:
    poll(world, interval="1h")
    world.repository.commit({"a.yaml": "a: 2\n"}, "second")
    world.flux.reconcile("source git", "repo", namespace="shop")
    world.run(2)
    assert artifact(world)["revision"] == f"main@sha1:{world.repository.head()}"
    annotations = world.get("gitrepository", "repo")["metadata"]["annotations"]
    handled = world.status("gitrepository", "repo")["lastHandledReconcileAt"]
    assert handled == annotations["reconcile.fluxcd.io/requestedAt"]


def test_a_deleted_source_goes_with_its_artifacts(world: Any, manifest: Write) -> None:
    world.deliver({"app/cm.yaml": manifest("ConfigMap", "settings")})
    world.people.delete("gitrepository", "repo", "shop")
    world.run(6)
    assert not world.exists("gitrepository", "repo")
    assert world.ready()[1] == "ArtifactFailed"
    assert world.exists("configmap", "settings")


def test_what_cannot_be_honoured_stalls(world: Any) -> None:
    poll(world, include=[{"repository": {"name": "other"}}])
    stalled = world.condition("gitrepository", "repo", "Stalled")
    assert stalled["message"] == "spec.include is not supported in this lab"
