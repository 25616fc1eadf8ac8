"""Merge requests: reviewed, checked, merged or refused, always by a named rule."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_sim.errors import GitError, MergeConflictError, RefRejectedError
from gitops_sim.forge import MergeRequest, Repository
from gitops_sim.journal import facts

World = Any


@pytest.fixture
def shop(world: World) -> Repository:
    repository: Repository = world.forge.create_repository("shop", {"a": "1\n2\n3\n4\n5\n"})
    repository.create_branch("fix")
    repository.commit({"a": "one\n2\n3\n4\n5\n"}, "Say one", "fix", author="bob")
    return repository


@pytest.fixture
def request_(shop: Repository) -> MergeRequest:
    return shop.open_merge_request("fix", author="bob", description="Because.")


def test_merge_makes_a_commit_with_two_parents(shop: Repository, request_: MergeRequest) -> None:
    source, before = shop.head("fix"), shop.head()
    shop.commit({"a": "1\n2\n3\n4\nfive\n"}, "Say five")
    target = shop.head()
    new = request_.merge(by="carol")
    assert shop.read("a") == "one\n2\n3\n4\nfive\n"
    info = shop.info(new)
    assert info.parents == (target, source)
    assert info.author == "carol"
    assert info.message == (
        "Merge branch 'fix' into 'main'\n\nSay one\n\nBecause.\n\nSee merge request shop!1"
    )
    assert (request_.state, request_.merged_commit, shop.head()) == ("merged", new, new)
    assert request_.base == before


def test_squash_makes_one_commit_by_the_author(shop: Repository, request_: MergeRequest) -> None:
    shop.commit({"b": "2"}, "More", "fix", author="bob")
    before = shop.head()
    new = request_.merge(method="squash", by="carol")
    commit = shop.objects.commit(new)
    assert commit.parents == (before,)
    assert (commit.author, commit.committer) == (
        "bob <bob@example.com>",
        "carol <carol@example.com>",
    )
    assert commit.message == "Say one\n\nBecause.\n"
    assert set(shop.info(new).files) == {"a", "b"}


def test_fast_forward_moves_the_target(shop: Repository, request_: MergeRequest) -> None:
    assert request_.merge(method="fast-forward") == shop.head("fix") == shop.head()


def test_fast_forward_is_refused_when_the_target_went_on(
    shop: Repository, request_: MergeRequest
) -> None:
    shop.commit({"b": "1"}, "Go on")
    with pytest.raises(RefRejectedError, match="no fast-forward; rebase fix on main"):
        request_.merge(method="fast-forward")
    assert request_.state == "open"


def test_conflict_names_the_files_and_changes_nothing(
    shop: Repository, request_: MergeRequest
) -> None:
    shop.commit({"a": "uno\n2\n3\n4\n5\n"}, "Say uno")
    before = shop.head()
    assert "<<<<<<< main\nuno\n=======\none\n>>>>>>> fix\n" in request_.conflicts["a"]
    with pytest.raises(MergeConflictError) as raised:
        request_.merge()
    assert raised.value.files == ("a",)
    assert [refusal.rule for refusal in request_.refusals] == ["conflict in a"]
    assert (shop.head(), request_.state) == (before, "open")


def test_every_rule_that_is_not_satisfied_is_named(
    shop: Repository, request_: MergeRequest
) -> None:
    shop.protect(reviews=2, checks=["ci", "policy", "scan"])
    shop.report_check("fix", "policy", "failure", "no limits")
    shop.report_check("fix", "scan", "pending")
    request_.review("alice", "approve")
    request_.review("carol", "request_changes", "Why?")
    rules = [refusal.rule for refusal in request_.refusals]
    assert rules == [
        "carol requested changes",
        "needs 2 approvals, has 1",
        "required check 'ci' has not been reported",
        "required check 'policy' has status failure: no limits",
        "required check 'scan' is pending",
    ]
    with pytest.raises(RefRejectedError) as raised:
        request_.merge()
    assert all(rule in str(raised.value) for rule in rules)
    request_.review("carol", "approve")
    for name in ("ci", "policy", "scan"):
        shop.report_check("fix", name, "success")
    assert request_.refusals == []
    request_.merge()


def test_authors_may_not_approve_their_own(request_: MergeRequest) -> None:
    with pytest.raises(GitError, match="bob opened it and may only comment"):
        request_.review("bob", "approve")
    request_.review("bob", "comment", "Please look")
    with pytest.raises(GitError, match="use one of approve, request_changes, comment"):
        request_.review("alice", "yes")  # type: ignore[arg-type]


def test_new_commits_dismiss_approvals_if_the_branch_says_so(
    shop: Repository, request_: MergeRequest
) -> None:
    shop.protect(reviews=1, dismiss_stale=True)
    request_.review("alice", "approve")
    assert request_.refusals == []
    shop.commit({"a": "uno\n2\n3\n4\n5\n"}, "Say uno", "fix", author="bob")
    assert [refusal.rule for refusal in request_.refusals] == ["needs 1 approval, has 0"]
    assert request_.reviews[0].dismissed
    request_.review("alice", "approve")
    request_.merge()


def test_checks_count_for_the_newest_commit_only(shop: Repository, request_: MergeRequest) -> None:
    shop.protect(checks=["ci"])
    shop.report_check("fix", "ci", "success")
    shop.commit({"b": "1"}, "More", "fix")
    assert [refusal.rule for refusal in request_.refusals] == [
        "required check 'ci' has not been reported"
    ]


def test_diff_shows_what_the_source_changed_also_after_the_merge(
    shop: Repository, request_: MergeRequest
) -> None:
    shop.commit({"other": "x"}, "Elsewhere")
    before = request_.diff
    assert before.paths == ("a",)
    assert "+one" in before.text
    commits = request_.commits
    assert commits == [shop.head("fix")]
    request_.merge()
    shop.delete_branch("fix")
    assert request_.diff == before
    assert request_.commits == commits


def test_push_of_the_target_that_holds_the_source_merges_it(world: World, shop: Repository) -> None:
    request = shop.open_merge_request("fix")
    before = request.diff
    shop.move("refs/heads/main", shop.head("fix"), "dora")
    assert (request.state, request.merged_commit) == ("merged", shop.head())
    assert request.diff == before
    assert world.facts(facts.MergeRequestMerged)[0].method == "push"


def test_source_that_goes_back_to_the_target_closes_it(shop: Repository) -> None:
    request = shop.open_merge_request("fix")
    shop.move("refs/heads/fix", shop.head(), "bob")
    assert (request.state, request.merged_commit) == ("closed", "")


def test_deleted_source_closes_it(world: World, shop: Repository, request_: MergeRequest) -> None:
    shop.delete_branch("fix", by="carol")
    assert request_.state == "closed"
    assert world.facts(facts.MergeRequestClosed)[0].actor == "carol"
    for change in (request_.merge, request_.close, lambda: request_.review("a", "comment")):
        with pytest.raises(GitError, match="is closed and cannot be"):
            change()
    assert [refusal.rule for refusal in request_.refusals] == ["it is closed"]


def test_request_without_news_or_twice_is_refused(shop: Repository, request_: MergeRequest) -> None:
    with pytest.raises(GitError, match="!1 from fix into main is open"):
        shop.open_merge_request("fix")
    shop.create_branch("same")
    with pytest.raises(GitError, match="has everything of same already"):
        shop.open_merge_request("same")
    request_.close()
    assert shop.open_merge_request("fix").number == 2


def test_who_listens_hears_each_step_once(world: World, shop: Repository) -> None:
    heard: list[str] = []
    world.forge.on_merge_request(lambda repository, request, action: heard.append(action))
    world.forge.add_webhook(
        "ci", on_push=lambda repository, branch, old, new: heard.append(f"push {branch}")
    )
    request = shop.open_merge_request("fix")
    request.review("carol", "approve")
    shop.commit({"b": "1"}, "More", "fix")
    request.merge()
    assert heard == ["opened", "reviewed", "push fix", "synchronize", "push main", "merged"]
    assert [fact.event for fact in world.facts(facts.WebhookSent)] == ["push", "push"]


def test_everything_is_replayed_to_the_same_refs_and_journal(
    world: World, shop: Repository, request_: MergeRequest
) -> None:
    world.run(60)
    shop.protect(reviews=1)
    request_.review("alice", "approve", "Fine")
    world.run(60)
    request_.merge(by="carol")
    shop.tag("v1")
    with pytest.raises(RefRejectedError):
        shop.commit({"c": b"\xff"}, "Direct")
    shop.unprotect()
    shop.revert("HEAD", author="dora")
    again = world.replayed()
    assert again.forge.repository("shop").refs.all() == shop.refs.all()
    assert again.journal.to_jsonl() == world.journal.to_jsonl()
    assert again.door.to_jsonl() == world.door.to_jsonl()


def test_a_branch_is_not_merged_into_itself(shop: Repository) -> None:
    with pytest.raises(GitError, match="cannot be merged into itself"):
        shop.open_merge_request("main")
