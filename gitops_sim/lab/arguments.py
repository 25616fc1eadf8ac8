"""What people hand in, looked at once where it comes in: a slip of the pen gets one clear line."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeVar

from gitops_sim.apimachinery.names import validate_label
from gitops_sim.clock import EPOCH
from gitops_sim.errors import LabError
from gitops_sim.forge import Repository

__all__ = [
    "check_objective",
    "check_serving",
    "check_speed",
    "command_words",
    "existing_directory",
    "known_cluster",
    "same_nodes",
    "the_epoch",
    "the_repository",
    "the_seed",
    "valid_cluster",
]

H = TypeVar("H")
_OF_A_SHELL = ("|", ">", ">>", "<", "&&", "||", ";", "&")


def check_objective(objective: object) -> None:
    """Check which part of the requests shall be answered.

    Raises:
        LabError: It is no number from 0 to 1.
    """
    is_number = isinstance(objective, int | float) and not isinstance(objective, bool)
    if not is_number or not 0 <= float(str(objective)) <= 1:
        raise LabError(
            f"an objective of {objective!r}", "give a part of the requests: 99 % is objective=0.99"
        )


def check_speed(speed: object) -> None:
    """Check how fast time is to pass.

    Raises:
        LabError: It is no number.
    """
    if isinstance(speed, bool) or not isinstance(speed, int | float):
        raise LabError(f"a speed of {speed!r}", "give virtual seconds per second, such as 60")


def check_serving(speed: object, port: object) -> None:
    """Check how a lab is to be served.

    Raises:
        LabError: The speed is no number, or the port none that there is.
    """
    check_speed(speed)
    if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port < 2**16:
        raise LabError(f"{port!r} is no port", "leave it out, or give 1 to 65535")


def the_seed(seed: object) -> int:
    """Return a seed.

    Raises:
        LabError: It is no whole number: a saved lab could not hold it.
    """
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise LabError(f"the seed {seed!r} is no whole number", "write Lab(seed=7)")
    return seed


def the_epoch(text: object) -> datetime:
    """Return when a lab begins, in UTC; "" is when every lab begins.

    Raises:
        LabError: It is no moment with a date.
    """
    if text == "":
        return EPOCH
    try:
        moment = datetime.fromisoformat(str(text)).replace(microsecond=0)
    except ValueError:
        fix = 'write Lab(epoch="2026-01-05T09:00:00Z")'
        raise LabError(f"the epoch {text!r} is no moment", fix) from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def the_repository(given: object) -> Repository:
    """Return a repository.

    Raises:
        LabError: It is something else, such as its name.
    """
    if isinstance(given, Repository):
        return given
    name = given if isinstance(given, str) and given else "shop"
    raise LabError(
        f"a repository is needed here, and {given!r} is none",
        f"give what lab.forge.repository({name!r}) returns",
    )


def existing_directory(repository: Repository, branch: str, path: object) -> None:
    """Check that a repository has the directory that is to be delivered; an empty one may get it.

    Raises:
        LabError: It has none of that name.
        UnknownRefError: It has no such branch.
    """
    if not isinstance(path, str):
        raise LabError(f"{path!r} is no directory", 'write path="overlays/staging"')
    if not repository.branches():
        return
    folders = {
        file[:place]
        for file in repository.tree(branch).files()
        for place, letter in enumerate(file)
        if letter == "/"
    }
    wanted = path.removeprefix("./").strip("/")
    if wanted and wanted not in folders:
        near = difflib.get_close_matches(wanted, sorted(folders), n=1)
        meant = f"did you mean {near[0]!r}? " if near else ""
        raise LabError(
            f"{repository.name} has no directory {path!r}",
            f"{meant}{repository.name}.tree().files() lists what it has",
        )


def command_words(command: object) -> list[str]:
    """Return the words of a kubectl command, without `kubectl` itself.

    Raises:
        LabError: It is no text, a quote in it is not closed, or it needs a shell.
    """
    if not isinstance(command, str):
        raise LabError(f"{command!r} is no command", 'write kubectl("get pods --namespace shop")')
    try:
        words = shlex.split(command)
    except ValueError as problem:
        raise LabError(f"{command}: {problem}", "close the quote, as in a shell") from None
    sign = next((word for word in words if word in _OF_A_SHELL), "")
    if sign and "--" not in words:
        raise LabError(
            f"{command}: {sign!r} is for a shell, and here is kubectl alone",
            "work on what kubectl returns in Python: .stdout is its text",
        )
    return words[1:] if words[:1] == ["kubectl"] else words


def known_cluster(given: object, clusters: Mapping[str, H]) -> H:
    """Return the cluster of this lab that is given itself or by its name.

    Raises:
        LabError: There is no cluster of that name.
    """
    name = getattr(given, "name", given)
    found = clusters.get(name) if isinstance(name, str) else None
    if found is not None:
        return found
    raise LabError(
        f"there is no cluster {given!r} (there is: {', '.join(clusters) or 'none yet'})",
        "lab.cluster(name) makes one",
    )


def valid_cluster(name: object, nodes: object) -> None:
    """Check what a new cluster is to be.

    Raises:
        LabError: The name is no DNS label, or the number of nodes is no number.
    """
    if not isinstance(name, str) or validate_label(name):
        raise LabError(
            f"{name!r} is no name of a cluster",
            "use up to 63 lower-case letters, digits and '-', such as 'staging'",
        )
    if isinstance(nodes, bool) or not isinstance(nodes, int):
        raise LabError(f"{nodes!r} nodes", "give a whole number, such as nodes=3")


def same_nodes(name: str, wanted: int | None, made_with: int) -> None:
    """Check that nobody asks an existing cluster for another number of nodes.

    Raises:
        LabError: Its nodes do not change.
    """
    if wanted is not None and wanted != made_with:
        raise LabError(
            f"the cluster {name!r} has {made_with} nodes, not {wanted}: it was made with them",
            f"leave out nodes=, or take another name: lab.cluster({name + '-2'!r}, nodes={wanted})",
        )
