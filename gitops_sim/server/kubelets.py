"""Requests that an API server passes on to the kubelet of a pod's node, where nobody listens.

A node that KWOK fakes has an address and no kubelet: what would be passed on fails as it does
there. On the lab's own nodes kubelets are simulated, logs come from them, and the rest is refused.

Source: k8s.io/kubernetes, pkg/registry/core/pod/strategy.go (LogLocation, streamLocation) and
pkg/kubelet/client.
"""

from __future__ import annotations

from urllib.parse import urlencode

from gitops_sim.apiserver.store import Kind
from gitops_sim.errors import InternalError, UnknownError
from gitops_sim.server.answers import Answer, compact, text_answer
from gitops_sim.server.target import Target
from gitops_sim.server.upgrades import SWITCHING
from gitops_sim.types import Manifest

__all__ = ["no_process", "no_tunnel", "refuse_log_of_faked"]

_FAKED = "kwok.x-k8s.io/node"
_PORT = 10250
_STREAMS = (("stderr", "error"), ("stdin", "input"), ("stdout", "output"), ("tty", "tty"))
_FLAGS = frozenset({"follow", "previous", "timestamps"})
_PASSED_ON = sorted({*_FLAGS, "limitBytes", "sinceSeconds", "sinceTime", "stream", "tailLines"})


def refuse_log_of_faked(target: Target, pod: Manifest) -> None:
    """Fail for a pod on a faked node, as the connection does.

    Raises:
        UnknownError: Nobody listens there.
    """
    address = _address(target, pod)
    if address is None:
        return
    request, metadata = target.request, pod["metadata"]
    container = request.parameter("container") or pod["spec"]["containers"][0]["name"]
    url = f"https://{address}/containerLogs/{metadata['namespace']}/{metadata['name']}/{container}"
    told = [(n, "true" if n in _FLAGS else request.parameter(n)) for n in _PASSED_ON]
    query = urlencode([(n, v) for n, v in told if (request.flag(n) if n in _FLAGS else v)])
    problem = _problem(address)
    raise UnknownError(f'Get "{url}{"?" if query else ""}{query}": {problem}')


def no_process(target: Target) -> Answer | None:
    """Return what comes back for a process in a pod on a faked node; None elsewhere.

    Over a WebSocket it is a Status on the channel of errors.
    """
    if target.request.header("upgrade").lower() != "websocket":
        return no_tunnel(target)
    pod = target.server.find(target.resource_type, target.namespace, target.wanted.name)
    address = _address(target, pod)
    if address is None:
        return None
    request, metadata = target.request, pod["metadata"]
    container = request.parameter("container") or pod["spec"]["containers"][0]["name"]
    told = [("command", word) for word in request.query.get("command", ())]
    told += [(ours, "1") for theirs, ours in _STREAMS if request.flag(theirs)]
    part = target.wanted.subresource
    url = f"https://{address}/{part}/{metadata['namespace']}/{metadata['name']}/{container}"
    query = urlencode(sorted(told, key=lambda pair: pair[0]))
    message = f'error sending request: Post "{url}?{query}": {_problem(address)}'
    error = InternalError(f"Internal error occurred: {message}", {"causes": [{"message": message}]})
    return Answer(SWITCHING, body=compact(error.status()))


def no_tunnel(target: Target) -> Answer | None:
    """Return what comes back for a forwarded port of a pod on a faked node; None elsewhere."""
    pod = target.server.find(target.resource_type, target.namespace, target.wanted.name)
    address = _address(target, pod)
    if address is None:
        return None
    return text_answer(f"error dialing backend: {_problem(address)}", status=500)


def _address(target: Target, pod: Manifest) -> str | None:
    """Return where the kubelet of a pod's node should be, if the node is faked."""
    node = target.server.store.get(Kind("", "Node"), "", pod["spec"].get("nodeName", ""))
    if node is None or (node["metadata"].get("annotations") or {}).get(_FAKED) != "fake":
        return None
    address = next(entry["address"] for entry in node["status"]["addresses"])
    return f"{address}:{_PORT}"


def _problem(address: str) -> str:
    return f"dial tcp {address}: connect: connection refused"
