"""What the process gets that builds what is not built in process: its files, and nothing else."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from gitops_sim.render import kubectl_process


def test_the_process_sees_nothing_of_its_person(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KUBECONFIG", "HOME", "SSH_AUTH_SOCK", "HTTPS_PROXY", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "/of/a/person")
    seen: dict[str, Any] = {}

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
        seen.update(options, tree=sorted(path.name for path in Path(command[2]).iterdir()))
        return subprocess.CompletedProcess(command, 0, b"a: b\n", b"")

    monkeypatch.setattr(subprocess, "run", run)
    files = {"app/kustomization.yaml": b"", "app/a.yaml": b"", "base/b.yaml": b""}
    assert kubectl_process.kustomize(files, "app") == ("a: b\n", "")
    environment = seen["env"]
    assert "/of/a/person" not in environment.values()
    assert environment["PATH"] == ""
    assert environment["HOME"] == environment["TMPDIR"] != str(Path.home())
    assert environment["HTTPS_PROXY"] == kubectl_process.NO_NETWORK
    assert not {"KUBECONFIG", "NO_PROXY", "no_proxy"} & environment.keys()
    assert seen["stdin"] == subprocess.DEVNULL
    assert seen["timeout"] == kubectl_process.TIME_LIMIT
    assert seen["tree"] == ["a.yaml", "kustomization.yaml"]
