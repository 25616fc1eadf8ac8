"""Real Git clients against the forge: what they get, what they may push, what they are told."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import git as gitpython
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.forge import GitHttp, HttpRequest, Repository
from gitops_sim.forge.pktlines import FLUSH, pkt
from gitops_sim.journal import facts

Git = Callable[..., str]
World = Any


@pytest.fixture
def shop(world: World) -> Repository:
    repository: Repository = world.forge.create_repository("shop", {"base/web.yaml": "a: 1\n"})
    repository.commit({"base/web.yaml": "a: 2\n", "bin": b"\0\xff"}, "Second")
    return repository


@pytest.fixture
def work(git: Git, git_server: str, shop: Repository, tmp_path: Path) -> Path:
    git("clone", "-q", f"{git_server}/shop.git", "work")
    return tmp_path / "work"


def commit(git: Git, work: Path, path: str, text: str) -> str:
    (work / path).write_text(text)
    git("add", ".", cwd=work)
    git("commit", "-q", "-m", f"Change {path}", cwd=work)
    return git("rev-parse", "HEAD", cwd=work).strip()


def test_clone_has_the_same_history_files_and_default_branch(
    git: Git, work: Path, shop: Repository
) -> None:
    assert git("rev-parse", "HEAD", cwd=work).strip() == shop.head()
    assert git("log", "--format=%s", cwd=work).split() == ["Second", "Initial", "commit"]
    assert (work / "bin").read_bytes() == b"\0\xff"
    assert git("symbolic-ref", "HEAD", cwd=work).strip() == "refs/heads/main"
    git("fsck", "--strict", cwd=work)


def test_push_moves_the_branch_and_is_told(
    git: Git, work: Path, shop: Repository, world: World
) -> None:
    new = commit(git, work, "base/web.yaml", "a: 3\n")
    git("push", "-q", cwd=work)
    assert shop.head() == new
    assert shop.read("base/web.yaml") == "a: 3\n"
    assert world.facts(facts.CommitMade)[-1].author == "Dora"
    assert world.facts(facts.BranchMoved)[-1].actor == "dora"


def test_refused_push_names_the_rule_and_the_next_step_on_the_terminal(
    git: Git, work: Path, shop: Repository
) -> None:
    shop.protect(reviews=1)
    before = shop.head()
    commit(git, work, "base/web.yaml", "a: 3\n")
    said = git("push", "origin", "main", cwd=work, fails=True)
    assert "[remote rejected] main -> main (protected branch, direct pushes are refused)" in said
    assert "remote: main: push another branch and open a merge request into main" in said
    assert shop.head() == before


def test_new_branch_becomes_a_merge_request_that_follows_it(
    git: Git, work: Path, shop: Repository
) -> None:
    git("switch", "-q", "-c", "fix", cwd=work)
    commit(git, work, "base/web.yaml", "a: 3\n")
    said = git("push", "origin", "fix", cwd=work)
    assert 'remote:   lab.forge.repository("shop").open_merge_request("fix")' in said
    request = shop.open_merge_request("fix", author="dora")
    new = commit(git, work, "other.yaml", "b: 1\n")
    git("push", "-q", "origin", "fix", cwd=work)
    assert request.head == new
    request.merge()
    git("pull", "-q", "origin", "main", cwd=work)
    assert git("rev-parse", "HEAD", cwd=work).strip() == shop.head()


def test_fetch_brings_only_what_is_new(git: Git, work: Path, shop: Repository) -> None:
    for number in range(3, 60):
        shop.commit({"base/web.yaml": f"a: {number}\n"}, f"Number {number}")
    git("fetch", "-q", cwd=work)
    assert git("rev-parse", "origin/main", cwd=work).strip() == shop.head()
    shop.commit({"base/web.yaml": "a: last\n"}, "Last")
    said = git("fetch", "--progress", cwd=work)
    assert "Sending 4 objects, done." in said  # a commit, two folders, a file
    git("fsck", "--strict", cwd=work)


def test_shallow_clone_deepens_and_unshallows(
    git: Git, git_server: str, shop: Repository, tmp_path: Path
) -> None:
    shop.commit({"c": "3"}, "Third")
    git("clone", "-q", "--depth", "1", f"{git_server}/shop.git", "flat")
    flat = tmp_path / "flat"
    assert git("rev-list", "--count", "HEAD", cwd=flat).strip() == "1"
    git("fetch", "-q", "--depth", "2", cwd=flat)
    assert git("rev-list", "--count", "HEAD", cwd=flat).strip() == "2"
    new = commit(git, flat, "d", "4")
    git("push", "-q", cwd=flat)
    assert shop.head() == new
    git("fetch", "-q", "--unshallow", cwd=flat)
    assert git("rev-list", "--count", "HEAD", cwd=flat).strip() == "4"
    git("fsck", "--strict", cwd=flat)


def test_annotated_tag_is_pushed_cloned_and_means_its_commit(
    git: Git, git_server: str, work: Path, shop: Repository, tmp_path: Path
) -> None:
    git("tag", "-a", "-m", "First release", "v1", cwd=work)
    git("push", "-q", "origin", "v1", cwd=work)
    assert shop.head("v1") == shop.head()
    git("clone", "-q", "--branch", "v1", "--depth", "1", f"{git_server}/shop.git", "tagged")
    assert git("describe", cwd=tmp_path / "tagged").strip() == "v1"
    assert "refs/tags/v1^{}" in git("ls-remote", f"{git_server}/shop.git")


def test_force_push_and_deletion_follow_the_rules(git: Git, work: Path, shop: Repository) -> None:
    git("switch", "-q", "-c", "fix", "HEAD~1", cwd=work)
    git("push", "-q", "origin", "fix", cwd=work)
    git("push", "-q", "--force", "origin", "main:fix", cwd=work)
    git("push", "-q", "--force", "origin", "main~1:fix", cwd=work)
    shop.protect("fix", no_direct_push=False)
    assert "deleted" in git("push", "origin", ":fix", cwd=work, fails=True)
    git("push", "-q", "origin", "main:fix", cwd=work)
    said = git("push", "--force", "origin", "main~1:fix", cwd=work, fails=True)
    assert "force pushes are refused" in said
    shop.unprotect("fix")
    git("push", "-q", "origin", ":fix", cwd=work)
    assert shop.branches() == ["main"]
    assert "default branch" in git("push", "origin", ":main", cwd=work, fails=True)


def test_first_push_into_an_empty_repository_sets_its_default_branch(
    git: Git, git_server: str, world: World, tmp_path: Path
) -> None:
    empty = world.forge.create_repository("empty")
    git("init", "-q", "-b", "trunk", "new")
    new = commit(git, tmp_path / "new", "a", "1")
    git("push", "-q", f"{git_server}/empty.git", "trunk", cwd=tmp_path / "new")
    assert (empty.default_branch, empty.head()) == ("trunk", new)


def test_large_push_and_names_that_cannot_be(git: Git, work: Path, shop: Repository) -> None:
    for number in range(40):
        (work / f"{number}.bin").write_bytes(bytes([number]) + work.name.encode() * 20_000)
    git("add", ".", cwd=work)
    git("commit", "-q", "-m", "Many", cwd=work)
    (work / "noise").write_bytes(bytes(range(256)) * 8000)
    commit(git, work, "a", "b")
    git("-c", "core.compression=0", "push", "-q", cwd=work)
    assert len(shop.tree().files()) == 44
    (work / "huge.bin").write_bytes(b"x" * 6 * 1024**2)
    commit(git, work, "a", "c")
    said = git("push", cwd=work, fails=True)
    assert "huge.bin: is 6.0 MiB large, the limit is 5 MiB" in said


def test_push_of_a_name_that_no_repository_can_hold_is_refused(
    git: Git, work: Path, shop: Repository
) -> None:
    blob = git("hash-object", "-w", "base/web.yaml", cwd=work).strip()
    inner = git("mktree", cwd=work, input=f"100644 blob {blob}\tconfig\n".encode()).strip()
    tree = git("mktree", cwd=work, input=f"040000 tree {inner}\t.git\n".encode()).strip()
    evil = git("commit-tree", tree, "-m", "Evil", cwd=work).strip()
    said = git("push", "origin", f"{evil}:refs/heads/evil", cwd=work, fails=True)
    assert "path names Git's own data (.git)" in said
    assert shop.branches() == ["main"]
    assert evil not in shop.objects


def test_push_of_other_refs_and_bad_names_is_refused_ref_by_ref(
    git: Git, work: Path, shop: Repository
) -> None:
    commit(git, work, "a", "b")
    refs = ["HEAD:refs/notes/x", "HEAD:refs/heads/good", "HEAD:refs/heads/main/sub"]
    said = git("push", "origin", *refs, cwd=work, fails=True)
    assert "(only branches and tags are kept here)" in said
    assert "cannot lock ref 'refs/heads/main/sub': 'refs/heads/main' exists" in said
    assert shop.branches() == ["good", "main"]
    assert shop.refs.names("refs/notes/") == []


def test_push_against_what_moved_meanwhile_is_refused(
    git: Git, work: Path, shop: Repository
) -> None:
    old = shop.head()
    shop.commit({"a": "1"}, "Meanwhile")
    commit(git, work, "a", "2")
    assert "fetch first" in git("push", cwd=work, fails=True)
    refused = shop.receive([[old, shop.head("HEAD~1"), "refs/heads/main"]], b"", "dora")
    assert refused == {"refs/heads/main": "it has moved meanwhile, fetch first"}


def test_gitpython_clones_commits_and_pushes(
    git_server: str, shop: Repository, tmp_path: Path
) -> None:
    with gitpython.Repo.clone_from(f"{git_server}/shop.git", tmp_path / "gp") as repo:
        (tmp_path / "gp" / "new.yaml").write_text("n: 1\n")
        repo.index.add(["new.yaml"])
        made = repo.index.commit("From GitPython")
        pushed = repo.remote().push("HEAD:refs/heads/gp")
        pushed.raise_if_error()
    assert shop.head("gp") == made.hexsha
    assert shop.read("new.yaml", "gp") == "n: 1\n"


def test_imported_shallow_history_can_be_cloned(
    git: Git, git_server: str, work: Path, world: World, tmp_path: Path
) -> None:
    git("clone", "-q", "--depth", "1", f"file://{work}", "cut")
    cut = world.forge.import_repository(str(tmp_path / "cut"))
    assert len(cut.log()) == 1
    git("clone", "-q", f"{git_server}/cut.git", "again")
    assert git("rev-list", "--count", "HEAD", cwd=tmp_path / "again").strip() == "1"
    git("fsck", cwd=tmp_path / "again")


def test_url_is_imported_with_its_history(git_server: str, shop: Repository, world: World) -> None:
    copy = world.forge.import_repository(f"{git_server}/shop.git", "copy")
    assert copy.head() == shop.head()
    assert len(copy.log()) == 2
    assert len(world.forge.import_repository(f"{git_server}/shop.git", "flat", depth=1).log()) == 1


def test_pushes_are_replayed_without_the_client(
    git: Git, work: Path, shop: Repository, world: World
) -> None:
    commit(git, work, "base/web.yaml", "a: 3\n")
    git("push", "-q", cwd=work)
    shop.protect()
    commit(git, work, "base/web.yaml", "a: 4\n")
    git("push", "-q", cwd=work, fails=True)
    again = world.replayed()
    assert again.forge.repository("shop").refs.all() == shop.refs.all()
    assert again.journal.to_jsonl() == world.journal.to_jsonl()


def test_forge_that_is_down_answers_nobody(git: Git, work: Path, world: World) -> None:
    world.forge.take_down()
    assert "503" in git("fetch", cwd=work, fails=True)
    world.forge.bring_back()
    git("fetch", cwd=work)


def test_unknown_repository_is_not_found(git: Git, git_server: str, shop: Repository) -> None:
    assert "not found" in git("clone", f"{git_server}/other.git", fails=True)


# -- requests that no client sends


def ask(world: World, method: str, path: str, body: bytes = b"", **headers: str) -> Any:
    path, _, query = path.partition("?")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return GitHttp(world.forge).handle(HttpRequest(method, path, query, named, body), "dora")


UPLOAD = "application/x-git-upload-pack-request"
RECEIVE = "application/x-git-receive-pack-request"


@pytest.mark.parametrize(
    ("method", "path", "content_type", "status"),
    [
        ("GET", "/shop.git/info/refs?service=git-upload-pack", "", 200),
        ("GET", "/shop/info/refs?service=git-receive-pack", "", 200),
        ("GET", "/shop.git/info/refs", "", 403),
        ("GET", "/shop.git/info/refs?service=git-upload-archive", "", 403),
        ("POST", "/shop.git/info/refs", "", 405),
        ("GET", "/shop.git/git-upload-pack", "", 405),
        ("POST", "/shop.git/git-upload-pack", "text/plain", 415),
        ("POST", "/shop.git/git-upload-pack", UPLOAD, 200),
        ("POST", "/shop.git/git-receive-pack", RECEIVE, 200),
        ("GET", "/shop.git/objects/info/packs", "", 404),
        ("GET", "/../../etc/passwd", "", 404),
        ("GET", "/%2e%2e/%2e%2e/etc/passwd", "", 404),
        ("GET", "/", "", 404),
    ],
)
def test_status_of_requests(
    world: World, shop: Repository, method: str, path: str, content_type: str, status: int
) -> None:
    assert ask(world, method, path, content_type=content_type).status == status


def test_body_may_be_gzip_and_is_bounded(world: World, shop: Repository) -> None:
    want = b"0032want %b\n0000" % shop.head().encode() + b"0009done\n"
    for body in (want, gzip.compress(want)):
        encoding = "gzip" if body is not want else "identity"
        answer = ask(
            world,
            "POST",
            "/shop.git/git-upload-pack",
            body,
            content_type=UPLOAD,
            content_encoding=encoding,
        )
        assert answer.body.startswith(b"0008NAK\nPACK")
    for body in (b"no gzip", gzip.compress(want)[:-9]):
        answer = ask(
            world,
            "POST",
            "/shop.git/git-upload-pack",
            body,
            content_type=UPLOAD,
            content_encoding="gzip",
        )
        assert answer.status == 400


def test_what_no_branch_leads_to_is_not_served(world: World, shop: Repository) -> None:
    tree = shop.objects.commit(shop.head()).tree
    for wanted in (tree, "0" * 40, "x", ""):
        line = f"want {wanted}\n".encode()
        body = b"%04x%b0000" % (len(line) + 4, line) + b"0009done\n"
        answer = ask(world, "POST", "/shop.git/git-upload-pack", body, content_type=UPLOAD)
        assert (answer.status, answer.body[:24]) == (400, b"upload-pack: not our ref")


@given(st.data())
def test_damaged_requests_never_crash(make_world: Callable[[], World], data: st.DataObject) -> None:
    world = make_world()
    repository = world.forge.create_repository("shop", {"a": "1"})
    head = repository.head().encode()
    push = b"%b %b refs/heads/x\0 report-status side-band-64k" % (b"0" * 40, head)
    valid = {
        "git-upload-pack": pkt(b"want %b" % head) + pkt("deepen 1") + FLUSH + pkt("done"),
        "git-receive-pack": pkt(push) + FLUSH + b"PACK\0\0\0\2\0\0\0\1",
    }
    service = data.draw(st.sampled_from(sorted(valid)))
    body = bytearray(valid[service])
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    kind = f"application/x-{service}-request"
    answer = ask(world, "POST", f"/shop.git/{service}", bytes(body), content_type=kind)
    assert answer.status in (200, 400)
    assert repository.head().encode() == head
