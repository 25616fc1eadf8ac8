"""Folders and clones become repositories, and a saved lab does not need them again."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitops_sim.errors import GitError, InputError, LabError
from gitops_sim.forge import importing
from gitops_sim.journal import facts

Git = Callable[..., str]
World = Any


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "my shop"
    (place / "base").mkdir(parents=True)
    (place / "base" / "web.yaml").write_text("a: 1\n")
    (place / "run.sh").write_text("#!/bin/sh\n")
    (place / "run.sh").chmod(0o755)
    return place


@pytest.fixture
def clone(git: Git, folder: Path) -> Path:
    git("init", "-q", "-b", "trunk", cwd=folder)
    git("add", ".", cwd=folder)
    git("commit", "-q", "-m", "First", cwd=folder)
    git("tag", "-a", "-m", "One", "v1", cwd=folder)
    git("switch", "-q", "-c", "fix", cwd=folder)
    (folder / "base" / "web.yaml").write_text("a: 2\n")
    git("commit", "-q", "-am", "Second", cwd=folder)
    git("switch", "-q", "trunk", cwd=folder)
    return folder


def test_folder_becomes_one_commit_with_modes(world: World, folder: Path, git: Git) -> None:
    repository = world.forge.import_repository(str(folder))
    assert (repository.name, repository.branches()) == ("my-shop", ["main"])
    assert [info.message for info in repository.log()] == ["Import my shop"]
    git("init", "-q", cwd=folder)
    git("add", ".", cwd=folder)
    assert repository.tree().digest() == git("write-tree", cwd=folder).strip()
    assert [fact.files for fact in world.facts(facts.CommitMade)] == [("base/web.yaml", "run.sh")]


def test_ignored_files_git_data_and_sockets_are_left_out(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in (
        ".gitignore",
        "keep",
        "x.log",
        "sub/y.log",
        "sub/keep.log",
        "secret/z",
        "sub/.git/c",
    ):
        (tmp_path / path).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / path).write_text("text")
    (tmp_path / ".gitignore").write_text("*.log\nsecret/\n")
    (tmp_path / "sub" / ".gitignore").write_text("!keep.log\n")
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        repository = world.forge.import_repository(".", "shop")
    files = [".gitignore", "keep", "sub/.gitignore", "sub/keep.log"]
    assert repository.tree().files() == files


def test_links_stay_links_and_are_never_followed(
    world: World, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("secret")
    (folder / "out").symlink_to(tmp_path / "outside")
    (folder / "loop").symlink_to("loop")
    (folder / "base" / "up").symlink_to("..")
    (folder / "good").symlink_to("base/web.yaml")
    repository = world.forge.import_repository(str(folder))
    tree = repository.tree()
    assert tree.files() == ["base/up", "base/web.yaml", "good", "loop", "out", "run.sh"]
    assert tree.read("good") == b"a: 1\n"
    for path in ("out/secret", "loop"):
        with pytest.raises(InputError):
            tree.read(path)
    assert all(repository.objects.raw(each)[1] != b"secret" for each in repository.objects)


def test_file_of_50_mb_is_refused_by_name(world: World, folder: Path) -> None:
    with (folder / "base" / "video.mp4").open("wb") as file:
        file.truncate(50 * 1024**2)
    told = r"base/video.mp4: is 50.0 MiB large, the limit is 5 MiB \(fix: keep it out"
    with pytest.raises(InputError, match=told):
        world.forge.import_repository(str(folder))
    assert world.forge.repositories == []
    assert world.door.inputs == []


def test_folder_that_is_too_large_is_refused_before_all_of_it_is_read(
    world: World, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "MAX_FILES", 1)
    with pytest.raises(InputError, match="import the folder of the manifests only"):
        world.forge.import_repository(str(folder))
    monkeypatch.setattr(importing, "MAX_PACK_BYTES", 5)
    with pytest.raises(InputError, match="import the folder of the manifests only"):
        world.forge.import_repository(str(folder))


def test_names_that_no_repository_can_hold_are_refused(world: World, folder: Path) -> None:
    bad = os.fsencode(folder) + b"/\xff.yaml"
    try:
        Path(os.fsdecode(bad)).write_text("x")
    except OSError:
        pytest.skip("this file system takes no such name")
    with pytest.raises(InputError, match="not valid Unicode"):
        world.forge.import_repository(str(folder))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_unreadable_file_is_told(world: World, folder: Path) -> None:
    (folder / "run.sh").chmod(0)
    with pytest.raises(InputError, match=r"run.sh: cannot be read"):
        world.forge.import_repository(str(folder))


def test_clone_comes_with_branches_tags_and_history(world: World, clone: Path, git: Git) -> None:
    repository = world.forge.import_repository(str(clone), "shop")
    assert (repository.default_branch, repository.branches()) == ("trunk", ["fix", "trunk"])
    assert repository.head("fix") == git("rev-parse", "fix", cwd=clone).strip()
    assert repository.head("v1") == repository.head("trunk") == repository.head("fix~1")
    assert repository.refs.get("refs/tags/v1") == git("rev-parse", "v1", cwd=clone).strip()
    assert [info.message for info in repository.log("fix")] == ["Second", "First"]
    assert len(world.facts(facts.CommitMade)) == 1  # only what is not yet history
    repository.commit({"new": "1"}, "Third", "fix")
    assert world.facts(facts.CommitMade)[-1].message == "Third"


def test_bare_packed_and_linked_clones_give_the_same_refs(
    world: World, clone: Path, git: Git, tmp_path: Path
) -> None:
    git("clone", "-q", "--mirror", clone, "mirror.git")
    git("gc", "-q", cwd=tmp_path / "mirror.git")
    git("worktree", "add", "-q", tmp_path / "tree", "fix", cwd=clone)
    git("clone", "-q", "--shared", "--mirror", clone, "shared.git")
    wanted = world.forge.import_repository(str(clone), "one").refs.all()
    for name in ("mirror.git", "tree", "shared.git"):
        repository = world.forge.import_repository(str(tmp_path / name))
        assert repository.refs.all() == wanted
    assert world.forge.import_repository(f"file://{tmp_path}/mirror.git", "x").refs.all() == wanted


def test_empty_clone_is_an_empty_repository(world: World, git: Git, tmp_path: Path) -> None:
    git("init", "-q", "--bare", "void.git")
    repository = world.forge.import_repository(str(tmp_path / "void.git"))
    assert (repository.name, repository.branches(), repository.log()) == ("void", [], [])


def test_damaged_clone_is_told(world: World, clone: Path, git: Git) -> None:
    blob = git("rev-parse", "fix:base/web.yaml", cwd=clone).strip()
    place = clone / ".git" / "objects" / blob[:2] / blob[2:]
    place.chmod(0o644)
    place.write_bytes(b"damaged")
    with pytest.raises(InputError, match=r"the clone is damaged.*fix: run git fsck"):
        world.forge.import_repository(str(clone))
    place.unlink()
    with pytest.raises(InputError, match=f"object {blob} is missing"):
        world.forge.import_repository(str(clone))


def test_damaged_pack_is_told(world: World, clone: Path, git: Git) -> None:
    git("gc", "-q", cwd=clone)
    (pack,) = (clone / ".git" / "objects" / "pack").glob("*.pack")
    pack.chmod(0o644)
    content = bytearray(pack.read_bytes())
    content[20:-20] = bytes(len(content) - 40)
    pack.write_bytes(content)
    with pytest.raises(InputError, match="the clone is damaged"):
        world.forge.import_repository(str(clone))


def test_folder_whose_git_data_is_none_is_told(world: World, folder: Path) -> None:
    (folder / ".git").mkdir()
    with pytest.raises(InputError, match=r"its .git is no repository"):
        world.forge.import_repository(str(folder))


def test_history_with_a_forbidden_name_is_refused(world: World, clone: Path, git: Git) -> None:
    blob = git("hash-object", "-w", "base/web.yaml", cwd=clone).strip()
    line = f"100644 blob {blob}\t..\n".encode()
    tree = git("mktree", cwd=clone, input=line).strip()
    commit = git("commit-tree", tree, "-m", "Evil", cwd=clone).strip()
    git("update-ref", "refs/heads/evil", commit, cwd=clone)
    with pytest.raises(InputError, match=r"\.\.: path has the part"):
        world.forge.import_repository(str(clone))


def test_sample_comes_with_the_package(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    repository = world.forge.import_repository("samples/shop")
    assert repository.name == "shop"
    assert "base/kustomization.yaml" in repository.tree().files()
    with pytest.raises(LabError, match=r"take one of: .*samples/shop"):
        world.forge.import_repository("samples/none")
    with pytest.raises(LabError):
        world.forge.import_repository("samples/../forge")


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("/nowhere/at/all", "does not exist"),
        (__file__, "is a file"),
        ("ext::sh -c id", "give an http or https URL"),
        ("ssh://git@example.com/x", "give an http or https URL"),
        ("http://-oProxy", "give an http or https URL"),
        ("https://bob:secret@example.com/x.git", "holds a password"),
    ],
)
def test_source_that_cannot_be_is_refused(world: World, source: str, told: str) -> None:
    with pytest.raises(LabError, match=told):
        world.forge.import_repository(source, "shop")


def test_url_that_does_not_answer_gives_the_message_of_git(world: World) -> None:
    with pytest.raises(GitError, match=r"fatal: unable to access 'http://127.0.0.1:9/x.git/'"):
        world.forge.import_repository("http://127.0.0.1:9/x.git")


def test_name_that_is_taken_is_refused_before_anything_is_read(world: World, folder: Path) -> None:
    world.forge.create_repository("my-shop")
    with pytest.raises(LabError, match="has a repository 'my-shop' already"):
        world.forge.import_repository(str(folder))


def test_import_is_told_to_nobody_who_listens_to_pushes(world: World, clone: Path) -> None:
    heard: list[str] = []
    world.forge.on_push(lambda repository, branch, old, new: heard.append(branch))
    repository = world.forge.import_repository(str(clone), "shop")
    assert heard == []
    assert {fact.branch for fact in world.facts(facts.BranchMoved)} == {"fix", "trunk"}
    repository.commit({"new": "1"}, "Third")
    assert heard == ["trunk"]


def test_import_is_replayed_without_its_source(world: World, clone: Path) -> None:
    repository = world.forge.import_repository(str(clone), "shop")
    for path in sorted(clone.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    again = world.replayed()
    assert again.forge.repository("shop").refs.all() == repository.refs.all()
    assert again.journal.to_jsonl() == world.journal.to_jsonl()
