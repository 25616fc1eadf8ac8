"""`gitops-sim serve`: what real clients use, until Ctrl-C.

Without `--bare` it is a whole lab: a forge, a cluster and Flux, which delivers the sample shop
unless other repositories are given. With it, a cluster alone, as conformance tests and authors of
operators want it.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gitops_sim.errors import LabError

if TYPE_CHECKING:
    from gitops_sim.server import Server

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--repo",
        action="append",
        default=[],
        metavar="NAME=PATH",
        help="a repository of the lab's forge, instead of the sample shop",
    )
    parser.add_argument("--bare", action="store_true", help="no forge, no agents, no sample")
    parser.add_argument(
        "--no-controllers", action="store_true", help="--bare: an API server alone, nothing acts"
    )
    parser.add_argument("--nodes", type=int, default=3, metavar="N", help="node-1 … node-N (3)")
    parser.add_argument("--port", type=int, default=0, help="a fixed port; by default a free one")
    parser.add_argument(
        "--speed", type=float, default=1.0, help="virtual seconds per second (1); 0: time stands"
    )
    parser.add_argument("--kubeconfig", type=Path, metavar="OUT", help="where to write it")
    parser.add_argument(
        "--user",
        action="append",
        default=[],
        metavar="NAME[:GROUP,…]",
        help="--bare: a further user",
    )
    parser.add_argument("--tokens", type=Path, metavar="FILE", help="write {user: token} there")


def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted; return the exit code."""
    if arguments.nodes < 0:
        raise LabError(f"--nodes {arguments.nodes}", "give 0 or more")
    _check_apart(arguments)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with _bare(arguments) if arguments.bare else _lab(arguments) as server:
        if arguments.tokens is not None:
            from gitops_sim.server.kubeconfig import write_private

            write_private(arguments.tokens, json.dumps(dict(server.tokens)))
        git = "" if arguments.bare else f" git {server.git_url}"
        print(f"READY {server.url} kubeconfig {server.kubeconfig}{git}", flush=True)
        stopped.wait()
    return 0


def _check_apart(arguments: argparse.Namespace) -> None:
    """Refuse options that belong to the other form."""
    if arguments.bare and arguments.repo:
        raise LabError("--repo with --bare", "a bare cluster has no forge: leave one of them out")
    if not arguments.bare and (arguments.no_controllers or arguments.user):
        raise LabError("--no-controllers or --user for a lab", "they need --bare")


@contextmanager
def _bare(arguments: argparse.Namespace) -> Iterator[Server]:
    """Serve one cluster."""
    from gitops_sim.server import ServeOptions, StandaloneCluster, StandaloneOptions

    options = ServeOptions(
        port=arguments.port,
        speed=arguments.speed,
        users=dict(_user(text) for text in arguments.user),
        kubeconfig=arguments.kubeconfig,
    )
    made = StandaloneOptions(
        controllers=not arguments.no_controllers, nodes=arguments.nodes, fakes=True, serve=options
    )
    with StandaloneCluster(made) as cluster:
        yield cluster.server


@contextmanager
def _lab(arguments: argparse.Namespace) -> Iterator[Server]:
    """Serve a whole lab."""
    from gitops_sim.lab import Lab
    from gitops_sim.server import idle_kubeconfig
    from gitops_sim.server.kubeconfig import write_private

    # Clients compare with their own clocks: a lab that keeps up with them begins now.
    now = datetime.now(UTC).isoformat() if arguments.speed == 1.0 else ""  # noqa: TID251
    lab = Lab(epoch=now)
    cluster = lab.cluster("default", nodes=arguments.nodes)
    for text in arguments.repo:
        name, _, path = text.partition("=")
        if not (name and path):
            raise LabError(f"--repo {text}", "write NAME=PATH")
        lab.forge.import_repository(path, name)
    cluster.flux.install()
    if not arguments.repo:
        shop = lab.forge.import_repository("samples/shop")
        cluster.flux.bootstrap(shop, path="overlays/staging")
    if arguments.kubeconfig is not None:
        # As the tour's terminals do: an idle file that KUBECONFIG names is the one that is filled.
        write_private(arguments.kubeconfig, idle_kubeconfig())
        os.environ["KUBECONFIG"] = str(arguments.kubeconfig)
    with lab.serve(speed=arguments.speed, port=arguments.port) as serving:
        yield serving.server


def _user(text: str) -> tuple[str, tuple[str, ...]]:
    name, _, groups = text.partition(":")
    if not name:
        raise LabError(f"--user {text}", "write NAME or NAME:GROUP,GROUP")
    return name, tuple(group for group in groups.split(",") if group)
