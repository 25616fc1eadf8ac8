"""Real Git over HTTPS at a served lab: the token comes from a helper, and only for this server."""

from __future__ import annotations

import os
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import git as gitpython
import pytest

from gitops_sim.apiserver import new_server
from gitops_sim.clock import Door, VirtualClock
from gitops_sim.forge import Forge, GitHttp, Repository
from gitops_sim.journal import Journal
from gitops_sim.server import Served, ServeOptions, Server


@pytest.fixture
def forge() -> Forge:
    clock = VirtualClock(3)
    forge = Forge(clock, Journal(clock), Door(clock))
    forge.create_repository("shop", {"a": "1\n"})
    return forge


@pytest.fixture
def shop(forge: Forge) -> Repository:
    return forge.repository("shop")


@pytest.fixture
def server(forge: Forge) -> Iterator[Server]:
    clock = VirtualClock(3)
    api = new_server(clock, Journal(clock), name="staging")
    options = ServeOptions(speed=0)
    with Server(
        {"staging": Served(api)}, clock, Door(clock), options, git=GitHttp(forge)
    ) as server:
        yield server


@pytest.fixture
def git(server: Server, tmp_path: Path) -> Callable[..., str]:
    clean = {"PATH": os.environ["PATH"], "HOME": os.fspath(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}
    identity = ["-c", "user.name=Dora", "-c", "user.email=dora@example.com"]

    def run(
        *arguments: str, cwd: Path = tmp_path, fails: bool = False, trusted: bool = True
    ) -> str:
        done = subprocess.run(
            ["git", *identity, *arguments],
            cwd=cwd,
            env={
                **clean,
                "GIT_TERMINAL_PROMPT": "0",
                **(server.git_environment if trusted else {}),
            },
            capture_output=True,
            check=False,
            text=True,
        )
        assert bool(done.returncode) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


def test_clone_and_push_over_https(
    git: Callable[..., str], server: Server, shop: Repository, tmp_path: Path
) -> None:
    git("clone", "-q", f"{server.git_url}/shop.git", "work")
    work = tmp_path / "work"
    (work / "big").write_bytes(os.urandom(3 * 1024**2))
    git("add", ".", cwd=work)
    git("commit", "-q", "-m", "More", cwd=work)
    git("push", "-q", cwd=work)
    assert shop.head() == git("rev-parse", "HEAD", cwd=work).strip()
    shop.protect()
    (work / "a").write_text("2\n")
    git("commit", "-q", "-am", "Direct", cwd=work)
    assert "direct pushes are refused" in git("push", cwd=work, fails=True)
    assert server.tokens["admin"] not in (work / ".git" / "config").read_text()


def test_gitpython_clones_with_the_environment(
    server: Server, shop: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GIT_SSL_CAINFO", raising=False)
    for name, value in server.git_environment.items():
        monkeypatch.setenv(name, value)
    with gitpython.Repo.clone_from(f"{server.git_url}/shop.git", tmp_path / "gp") as repo:
        assert repo.head.commit.hexsha == shop.head()


def test_who_has_no_token_or_a_wrong_one_gets_nothing(
    git: Callable[..., str], server: Server
) -> None:
    assert "certificate" in git(
        "ls-remote", f"{server.git_url}/shop.git", fails=True, trusted=False
    )
    trusting = ssl.create_default_context(cafile=server.git_environment["GIT_CONFIG_VALUE_0"])
    url = f"{server.git_url}/shop.git/info/refs?service=git-upload-pack"
    for header in ({}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer x"}):
        with pytest.raises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen(urllib.request.Request(url, headers=header), context=trusting)
        assert raised.value.code == 401
        assert raised.value.headers["WWW-Authenticate"] == 'Basic realm="gitops-sim"'
        raised.value.close()
    bearer = {"Authorization": f"Bearer {server.tokens['admin']}"}
    request = urllib.request.Request(url, headers=bearer)
    with urllib.request.urlopen(request, context=trusting) as answer:
        assert b"refs/heads/main" in answer.read()
    evil = urllib.request.Request(url, headers={**bearer, "Origin": "https://evil.example"})
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(evil, context=trusting)
    assert raised.value.code == 403
    raised.value.close()
