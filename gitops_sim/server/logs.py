"""The log of a container: the whole, a tail, or one that is followed.

Source: k8s.io/kubernetes, pkg/registry/core/pod/strategy.go (LogLocation, validateContainer) and
pkg/apis/core/validation (ValidatePodLogOptions).
Differs: lines of a log have no times, so neither `sinceSeconds` nor `sinceTime` leaves any out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gitops_sim.apimachinery import causes
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.fields import parse_field_selector
from gitops_sim.apimachinery.status_errors import generic_invalid, not_found
from gitops_sim.apiserver.server import storage_kind
from gitops_sim.apiserver.store import Kind
from gitops_sim.apiserver.watching import Filter, StoreWatch
from gitops_sim.errors import BadRequestError
from gitops_sim.server.answers import Answer, text_answer
from gitops_sim.server.following import LogStream
from gitops_sim.server.kubelets import refuse_log_of_faked
from gitops_sim.server.options import integer
from gitops_sim.server.requests import Request
from gitops_sim.server.target import Target
from gitops_sim.types import Manifest

__all__ = ["read_log"]

_NODE = Kind("", "Node")


def read_log(target: Target) -> Answer:
    """Answer with what a container has printed.

    Raises:
        ApiError: There is no such container, or the options are wrong.
    """
    request, name = target.request, target.wanted.name
    problems = list(_problems(request))
    if problems:
        raise generic_invalid("", "PodLogOptions", name, problems)
    pod = target.server.find(target.resource_type, target.namespace, name)
    container, previous = request.parameter("container"), request.flag("previous")
    _check_container(pod, container)
    node = pod["spec"].get("nodeName")
    if node and target.server.store.get(_NODE, "", node) is None:
        raise not_found(target.resource_type, node)  # the server calls it a pod
    refuse_log_of_faked(target, pod)

    def read() -> str:
        return target.beside.logs(name, target.namespace, container=container, previous=previous)

    text = read()
    tail = _tail(text, integer(request, "tailLines"))
    if not request.flag("follow"):
        return text_answer(tail)
    stream = LogStream(_watch(target), pod, container, read, text[: len(text) - len(tail)])
    return replace(text_answer(""), stream=stream)


def _problems(request: Request) -> Iterator[Cause]:
    tail = integer(request, "tailLines")
    if tail is not None and tail < 0:
        yield causes.invalid("tailLines", tail, "must be greater than or equal to 0")
    limit, seconds = integer(request, "limitBytes"), integer(request, "sinceSeconds")
    if limit is not None and limit < 1:
        yield causes.invalid("limitBytes", limit, "must be greater than 0")
    if seconds is not None and request.parameter("sinceTime"):
        text = "at most one of `sinceTime` or `sinceSeconds` may be specified"
        yield causes.forbidden("", text)
    elif seconds is not None and seconds < 1:
        yield causes.invalid("sinceSeconds", seconds, "must be greater than 0")


def _check_container(pod: Manifest, container: str) -> None:
    spec, name = pod["spec"], pod["metadata"]["name"]
    groups = ("initContainers", "containers", "ephemeralContainers")
    known = [entry["name"] for group in groups for entry in spec.get(group) or ()]
    if container and container not in known:
        raise BadRequestError(f"container {container} is not valid for pod {name}")
    if not container and len(spec["containers"]) > 1:
        told = f"a container name must be specified for pod {name}"
        raise BadRequestError(f"{told}, choose one of: [{' '.join(known)}]")


def _tail(text: str, most: int | None) -> str:
    if most is None:
        return text
    return "".join(text.splitlines(keepends=True)[-most:]) if most > 0 else ""


def _watch(target: Target) -> StoreWatch:
    """Return a watch on the object alone, from now on."""
    place, store = (target.namespace, target.wanted.name), target.server.store
    fields = parse_field_selector(f"metadata.name={place[1]}")
    wanted = Filter(place[0], None, fields)
    kind = storage_kind(target.resource_type)
    return StoreWatch(store, kind, wanted, store.revision, lambda manifest: manifest)
