"""`lab.serve()`: from here on `!kubectl` and `!git` in the next cell reach the lab.

The only place of the lab that touches the process' environment: what a notebook's `!` starts finds
its cluster by KUBECONFIG, and it must be the lab's, never the learner's own.
"""

from __future__ import annotations

import atexit
import os
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from gitops_sim.cluster import SimulatedCluster
from gitops_sim.forge import GitHttp
from gitops_sim.lab.parts import LabParts
from gitops_sim.server import Served, ServeOptions, Server, early_readers, is_ours

__all__ = ["Serving", "serve"]

_IN_THE_WAY = ("GIT_SSL_CAINFO",)
"""Variables that would beat what Git is told about one URL."""
_EARLY = "KUBE_CONFIG_DEFAULT_LOCATION"


class Serving:
    """A lab that is served: stop it, or use it in a `with` statement.

    Attributes:
        server: What answers.
    """

    def __init__(self, server: Server, variables: Mapping[str, str]) -> None:
        self.server = server
        self._before = {name: os.environ.get(name) for name in (*variables, *_IN_THE_WAY)}
        for name in _IN_THE_WAY:
            os.environ.pop(name, None)
        os.environ.update(variables)
        self._early = [(module, getattr(module, _EARLY)) for module in early_readers()]
        for module, _ in self._early:
            setattr(module, _EARLY, variables["KUBECONFIG"])
        atexit.register(self.stop)

    def __repr__(self) -> str:
        """Return where it is served, one cluster a line."""
        if not self.server.running:
            return "not served any more"
        lines = [f"{name}: {url}" for name, url in self.server.urls.items()]
        lines.append(f"kubeconfig: {self.server.kubeconfig}")
        lines.append(f"git clone {self.server.git_url}/<repository>.git")
        return "\n".join(lines)

    def stop(self) -> None:
        """Close it and set the environment back; nothing if it is closed."""
        if not self.server.running:
            return
        self.server.stop()
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        for module, location in self._early:
            setattr(module, _EARLY, location)
        atexit.unregister(self.stop)

    def __enter__(self) -> Serving:
        """Return itself: it serves already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()


def serve(
    clusters: Mapping[str, SimulatedCluster], parts: LabParts, *, speed: float, port: int
) -> Serving:
    """Serve clusters and forge over HTTPS on loopback, and point this process' tools there.

    Args:
        clusters: By name; the first is the current context.
        parts: Clock, door and forge.
        speed: Virtual seconds per wall second; 0 lets time stand still.
        port: Of the first cluster; 0 takes a free one.
    """
    options = ServeOptions(port=port, speed=speed, kubeconfig=_named_file())
    served = {name: Served(cluster.server, logs=cluster.logs) for name, cluster in clusters.items()}
    server = Server(served, parts.clock, parts.door, options, git=GitHttp(parts.forge)).start()
    scripts = sysconfig.get_path("scripts")
    variables = {
        "KUBECONFIG": str(server.kubeconfig),
        "KUBECACHEDIR": str(server.kubeconfig.parent / "kube-cache"),
        "PATH": os.pathsep.join([scripts, os.environ.get("PATH", "")]),
        **server.git_environment,
    }
    return Serving(server, variables)


def _named_file() -> Path | None:
    """Return the kubeconfig that JupyterLab was started with, if a lab wrote it.

    Terminals of that JupyterLab then reach the lab too. A learner's own file is never written to.
    """
    named = os.environ.get("KUBECONFIG", "")
    path = Path(named)
    if not named or os.pathsep in named or not path.is_file():
        return None
    return path if is_ours(path.read_text(encoding="utf-8", errors="replace")) else None
