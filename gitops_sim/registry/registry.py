"""All image registries of a lab as one: what was pushed, what unknown images do, and outages.

An image is how it behaves. Its digest is a hash of its repository and behaviour, so the same image
pushed again has the same digest; a tag moves to what was pushed last, a digest always means the
same. What nobody pushed follows one default: **any well-formed reference exists, runs and becomes
ready**, in 1 to 3 seconds (by a random stream of its own), except tags `missing` and
`does-not-exist`, and repositories under `nowhere/`, which no registry has.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import TypedDict, Unpack

from gitops_sim.clock import parse_duration
from gitops_sim.clock.door import Door, outside
from gitops_sim.errors import ImagePullError, LabError
from gitops_sim.journal import Journal
from gitops_sim.journal.facts import FaultEnded, FaultStarted
from gitops_sim.protocols import Clock
from gitops_sim.registry.references import Reference, parse_reference
from gitops_sim.types import Image

__all__ = ["Behaviour", "Registry"]

MISSING_TAGS = ("missing", "does-not-exist")
MISSING_UNDER = "nowhere/"


class Behaviour(TypedDict, total=False):
    """How a pushed image behaves; what is left out is well-behaved.

    Attributes:
        version: What users of a service see; by default the tag.
        pull: How long a node pulls it the first time: `"1s"`.
        start: From a container's start until it would pass its probes: `"1s"`.
        crash_after: When the container ends by itself: `"30s"`; None: never.
        exit_code: Its exit code then.
        needs_env: Environment variables without which it ends at once with code 1.
        ready: False: it never passes its readiness or liveness probe.
        memory_mib: What it uses; more than the container's limit is an OOM kill.
        leak_mib_per_minute: What it uses more, minute by minute.
        error_rate: Part of requests, 0 to 1, that it answers with an error.
        latency: How long an answer takes while it has nothing else to do: `"20ms"`.
        cpu: What one request costs of a core: `"5ms"`; it bounds how many a pod can answer.
        log: Lines that it prints when it starts.
    """

    version: str
    pull: str
    start: str
    crash_after: str | None
    exit_code: int
    needs_env: Sequence[str]
    ready: bool
    memory_mib: int
    leak_mib_per_minute: float
    error_rate: float
    latency: str
    cpu: str
    log: Sequence[str]


class Registry:
    """Where kubelets pull from; a `gitops_sim.protocols.ImageSource`.

    Args:
        clock: Gives random streams.
        journal: Is told outages.
        door: Through which pushes and outages come; None: nothing is logged.
    """

    def __init__(self, clock: Clock, journal: Journal, door: Door | None = None) -> None:
        self._clock = clock
        self._journal = journal
        self._door = door
        self._address = "registry"
        self._tags: dict[tuple[str, str], str] = {}
        self._images: dict[tuple[str, str], Image] = {}
        self._unknown: dict[str, Image] = {}
        self._is_down = False
        self._outages = 0
        if door is not None:
            door.register(self._address, self)

    @outside
    def push(self, reference: str, **behaviour: Unpack[Behaviour]) -> str:
        """Push an image under a tag, which moves to it; return its digest.

        Args:
            reference: `shop/web:1.2`; without a tag `latest` is meant.
            behaviour: See `Behaviour`.

        Raises:
            LabError: The reference names a digest or is none, or a behaviour is unknown or
                impossible.
        """
        try:
            place = parse_reference(reference)
        except ImagePullError as problem:
            raise LabError(f"{reference!r}: {problem}", 'write "repository:tag"') from None
        if place.digest:
            raise LabError(f"{reference!r} names a digest", "push to a tag; digests never change")
        if self._is_down:
            raise LabError("the registry is down", "registry.bring_back()")
        image = _image(place, behaviour)
        self._images[place.repository, image.digest] = image
        self._tags[place.repository, place.tag] = image.digest
        return image.digest

    def tags(self, repository: str) -> list[str]:
        """Return the tags that were pushed to a repository, sorted."""
        name = parse_reference(repository).repository
        return sorted(tag for place, tag in self._tags if place == name)

    @outside
    def take_down(self, duration: str = "") -> None:
        """Let every pull fail; images that a node has are not pulled.

        Args:
            duration: How long; empty: until `bring_back`.
        """
        if not self._is_down:
            self._outages += 1
            if duration:
                end = partial(self._end_outage, self._outages)
                self._clock.call_later(parse_duration(duration), end)
            self._is_down = True
            self._journal.record(FaultStarted("registry down", "registry", "no image is pulled"))

    @outside
    def bring_back(self) -> None:
        """End `take_down`."""
        if self._is_down:
            self._is_down = False
            self._journal.record(FaultEnded("registry down", "registry", "images are pulled"))

    def _end_outage(self, number: int) -> None:
        if number == self._outages:
            self.bring_back()

    def pull(self, reference: str) -> Image:
        """Return what a reference means now.

        Raises:
            ImagePullError: It is no name, the registry is down, or has no such image; the
                message is the one that the kubelet shows.
        """
        place = parse_reference(reference)
        if self._is_down:
            raise _unreachable(reference, place)
        digest = place.digest or self._tags.get((place.repository, place.tag), "")
        known = self._images.get((place.repository, digest))
        if known is not None:
            return replace(known, reference=reference)
        if place.tag in MISSING_TAGS or place.path.startswith(MISSING_UNDER):
            raise _not_found(reference, place)
        return replace(self._default(place), reference=reference)

    def _default(self, place: Reference) -> Image:
        """Return the image of a reference that nobody pushed."""
        name = str(place)
        known = self._unknown.get(name)
        if known is None:
            digest = place.digest or _digest(name)
            stream = self._clock.random(f"image/{digest}")
            known = self._unknown[name] = Image(
                name,
                digest,
                version=place.tag or digest.removeprefix("sha256:")[:12],
                pull_seconds=round(stream.uniform(0.5, 2.0), 3),
                start_seconds=round(stream.uniform(1.0, 3.0), 3),
            )
        return known


def _image(place: Reference, behaviour: Behaviour) -> Image:
    unknown = sorted(behaviour.keys() - Behaviour.__annotations__.keys())
    if unknown:
        known = ", ".join(Behaviour.__annotations__)
        raise LabError(f"an image has no behaviour {unknown[0]!r}", f"choose from: {known}")
    _check_rate(behaviour.get("error_rate", 0.0))
    if behaviour.get("ready", True) not in (True, False):
        raise LabError(f"ready={behaviour['ready']!r}", "write ready=True or ready=False")
    crash_after = behaviour.get("crash_after")
    image = Image(
        str(place),
        "",
        version=behaviour.get("version", place.tag),
        pull_seconds=parse_duration(behaviour.get("pull", "1s")),
        start_seconds=parse_duration(behaviour.get("start", "1s")),
        crash_after=None if crash_after is None else parse_duration(crash_after),
        exit_code=behaviour.get("exit_code", 1),
        needs_env=tuple(behaviour.get("needs_env", ())),
        ready=behaviour.get("ready", True),
        memory_mib=behaviour.get("memory_mib", 32),
        leak_mib_per_minute=behaviour.get("leak_mib_per_minute", 0.0),
        error_rate=behaviour.get("error_rate", 0.0),
        latency_seconds=parse_duration(behaviour.get("latency", "20ms")),
        cpu_seconds=parse_duration(behaviour.get("cpu", "5ms")),
        log=tuple(behaviour.get("log", ())),
    )
    content = asdict(image) | {"reference": place.repository}
    return replace(image, digest=_digest(json.dumps(content, sort_keys=True)))


def _check_rate(rate: object) -> None:
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate <= 1:
        fix = "give a part of the requests: 30 % is error_rate=0.3"
        raise LabError(f"an error rate of {rate!r}", fix)


def _digest(content: str) -> str:
    return f"sha256:{hashlib.sha256(content.encode()).hexdigest()}"


def _not_found(reference: str, place: Reference) -> ImagePullError:
    return ImagePullError(
        reference,
        f'rpc error: code = NotFound desc = failed to pull and unpack image "{place}": '
        f'failed to resolve reference "{place}": {place}: not found',
    )


def _unreachable(reference: str, place: Reference) -> ImagePullError:
    url = f"https://{place.host}/v2/{place.path}/manifests/{place.digest or place.tag}"
    return ImagePullError(
        reference,
        f'failed to pull and unpack image "{place}": failed to resolve reference "{place}": '
        f'failed to do request: Head "{url}": dial tcp 203.0.113.10:443: connect: '
        "connection refused",
    )
