"""Which event starts which workflow: branches, paths and kinds of activity."""

from __future__ import annotations

import pytest

from gitops_sim.push.triggers import Event, matches, parse_triggers
from gitops_sim.push.workflow_yaml import read


def fires(on: str, event: Event) -> bool:
    entry = read(f"on: {on}\n".encode(), "w.yaml").mapping()["on"]
    return any(trigger.fires(event) for trigger in parse_triggers(entry))


def push(branch: str, *files: str) -> Event:
    return Event("push", branch, lambda: files)


def request(target: str, *files: str, action: str = "opened") -> Event:
    return Event("pull_request", target, lambda: files, action)


@pytest.mark.parametrize(
    ("pattern", "name", "chosen"),
    [
        ("main", "main", True),
        ("main", "mains", False),
        ("release/*", "release/1", True),
        ("release/*", "release/1/2", False),
        ("release/**", "release/1/2", True),
        ("**", "a/b", True),
        ("*", "a/b", False),
        ("*.js", "app.js", True),
        ("*.js", "src/app.js", False),
        ("**.js", "src/app.js", True),
        ("docs/**", "docs/a/b.md", True),
        ("**/docs/**", "docs/hello.md", True),
        ("**/docs/**", "x/docs/hello.md", True),
        ("*.jsx?", "page.js", True),
        ("*.jsx?", "page.jsx", True),
        ("v[12].[0-9]+", "v1.22", True),
        ("v[12].[0-9]+", "v3.0", False),
        ("a.b", "axb", False),
    ],
)
def test_pattern_chooses_as_githubs_cheat_sheet_says(
    pattern: str, name: str, *, chosen: bool
) -> None:
    assert matches([pattern], name) is chosen


def test_later_negative_pattern_takes_away_and_a_positive_one_brings_back() -> None:
    patterns = ["releases/**", "!releases/**-alpha", "releases/9-alpha"]
    assert matches(patterns, "releases/10")
    assert not matches(patterns, "releases/10-alpha")
    assert matches(patterns, "releases/9-alpha")


def test_push_is_chosen_by_branch_and_path() -> None:
    on = "{push: {branches: [main], paths: ['deploy/**']}}"
    assert fires(on, push("main", "README.md", "deploy/a.yaml"))
    assert not fires(on, push("main", "README.md"))
    assert not fires(on, push("dev", "deploy/a.yaml"))


def test_paths_ignore_holds_only_if_all_files_are_ignored() -> None:
    on = "{push: {paths-ignore: ['*.md']}}"
    assert not fires(on, push("main", "README.md"))
    assert fires(on, push("main", "README.md", "a.yaml"))


def test_push_filtered_by_tags_alone_does_not_run_for_branches() -> None:
    assert not fires("{push: {tags: ['v*']}}", push("main"))
    assert fires("{push: {tags: ['v*'], branches: [main]}}", push("main"))


def test_merge_request_is_chosen_by_target_and_activity() -> None:
    assert fires("pull_request", request("main"))
    assert fires("pull_request", request("main", action="synchronize"))
    assert not fires("pull_request", request("main", action="closed"))
    assert fires("{pull_request: {types: [closed]}}", request("main", action="closed"))
    assert not fires("{pull_request: {branches: [release]}}", request("main"))


def test_files_are_not_asked_for_when_no_filter_needs_them() -> None:
    def files() -> list[str]:
        raise AssertionError

    assert fires("push", Event("push", "main", files))


def test_event_that_never_happens_here_starts_nothing() -> None:
    assert not fires("[schedule, release]", push("main"))
