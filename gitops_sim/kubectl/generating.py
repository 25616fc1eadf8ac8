"""Objects that `kubectl create TYPE NAME` and `kubectl run` make from flags.

Source: k8s.io/kubectl pkg/cmd/create/create_configmap.go, create_secret.go, create_deployment.go,
create_job.go; pkg/cmd/run/run.go.
Differs: of the many types only those in `GENERATORS`; of a secret only `generic`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gitops_sim.errors import LabError, UnknownRefError
from gitops_sim.kubectl.arguments import Arguments, Flag
from gitops_sim.kubectl.loading import path_in_files
from gitops_sim.kubectl.session import Session
from gitops_sim.types import Manifest

__all__ = ["GENERATORS", "GENERATOR_FLAGS", "Generator", "pod_of"]

GENERATOR_FLAGS = {
    "from-literal": Flag(),
    "from-file": Flag(),
    "from-env-file": Flag(),
    "image": Flag(),
    "labels": Flag(),
    "port": Flag(),
    "replicas": Flag("r"),
    "type": Flag(),
}


@dataclass(frozen=True, slots=True)
class Generator:
    """How one type is made.

    Attributes:
        make: Returns the object for a name.
        failing: What stands before the server's answer when it refuses; empty: nothing.
    """

    make: Callable[[Session, Arguments, str], Manifest]
    failing: str = ""


def _namespace(session: Session, arguments: Arguments, name: str) -> Manifest:
    del session, arguments
    kind = {"apiVersion": "v1", "kind": "Namespace"}
    return kind | {"metadata": {"name": name}, "spec": {}, "status": {}}


def _config_map(session: Session, arguments: Arguments, name: str) -> Manifest:
    found: Manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}
    for key, content in _pairs(session, arguments).items():
        try:
            found.setdefault("data", {})[key] = content.decode()
        except UnicodeDecodeError:
            encoded = base64.b64encode(content).decode()
            found.setdefault("binaryData", {})[key] = encoded
    return found


def _secret(session: Session, arguments: Arguments, name: str) -> Manifest:
    data = {
        key: base64.b64encode(content).decode()
        for key, content in _pairs(session, arguments).items()
    }
    found: Manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}}
    kind = arguments.text("type")
    return found | ({"data": data} if data else {}) | ({"type": kind} if kind else {})


def _deployment(session: Session, arguments: Arguments, name: str) -> Manifest:
    del session
    labels = {"app": name}
    containers: list[dict[str, Any]] = [
        {"image": image, "name": _container_name(image), "resources": {}}
        for image in _images(arguments)
    ]
    if arguments.rest and len(containers) > 1:
        raise LabError("cannot specify multiple --image options and command")
    if arguments.rest:
        containers[0]["command"] = list(arguments.rest)
    if arguments.text("port"):
        containers[0]["ports"] = [{"containerPort": arguments.number("port", 0)}]
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"labels": labels, "name": name},
        "spec": {
            "replicas": arguments.number("replicas", 1),
            "selector": {"matchLabels": labels},
            "strategy": {},
            "template": template,
        },
        "status": {},
    }


def _job(session: Session, arguments: Arguments, name: str) -> Manifest:
    del session
    container: dict[str, Any] = {"image": _images(arguments)[0], "name": name, "resources": {}}
    if arguments.rest:
        container["command"] = list(arguments.rest)
    pod = {"containers": [container], "restartPolicy": "Never"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"template": {"metadata": {}, "spec": pod}},
        "status": {},
    }


def pod_of(arguments: Arguments, name: str) -> Manifest:
    """Return the pod of `kubectl run NAME --image=…`."""
    container: dict[str, Any] = {"image": _images(arguments)[0], "name": name, "resources": {}}
    if arguments.rest:
        container["args"] = list(arguments.rest)
    if arguments.text("port"):
        container["ports"] = [{"containerPort": arguments.number("port", 0)}]
    given = dict(word.split("=", 1) for word in arguments.all("labels") if "=" in word)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"labels": given or {"run": name}, "name": name},
        "spec": {
            "containers": [container],
            "dnsPolicy": "ClusterFirst",
            "restartPolicy": "Always",
        },
        "status": {},
    }


def _images(arguments: Arguments) -> list[str]:
    images = arguments.all("image")
    if not images:
        raise LabError('required flag(s) "image" not set')
    return images


def _container_name(image: str) -> str:
    return image.rpartition("/")[2].partition("@")[0].partition(":")[0]


def _pairs(session: Session, arguments: Arguments) -> dict[str, bytes]:
    """Return the keys and values that literals and files give.

    Raises:
        LabError: A key comes twice.
    """
    found: dict[str, bytes] = {}
    for key, content in _given(session, arguments):
        if key in found:
            raise LabError(
                f'cannot add key "{key}", another key by that name already exists in Data for '
                f"{'ConfigMap' if arguments.words[0] in ('cm', 'configmap') else 'Secret'} "
                f'"{arguments.words[-1]}"'
            )
        found[key] = content
    return found


def _given(session: Session, arguments: Arguments) -> Iterator[tuple[str, bytes]]:
    for word in arguments.values.get("from-file", []):
        key, equals, path = word.partition("=")
        yield (key if equals else word.rpartition("/")[2]), _content(session, path or word)
    for word in arguments.values.get("from-literal", []):
        key, equals, value = word.partition("=")
        if not equals:
            raise LabError(f"invalid literal source {word}, expected key=value")
        yield key, value.encode()
    for path in arguments.values.get("from-env-file", []):
        for line in _content(session, path).decode(errors="replace").splitlines():
            key, equals, value = line.strip().partition("=")
            if key and not key.startswith("#") and equals:
                yield key, value.encode()


def _content(session: Session, path: str) -> bytes:
    try:
        return session.files.read(path_in_files(session, path))
    except UnknownRefError:
        problem = f"error reading {path}: no such file or directory"
        raise LabError(problem) from None


GENERATORS: Mapping[str, Generator] = {
    "configmap": Generator(_config_map, "failed to create configmap: "),
    "deployment": Generator(_deployment, "failed to create deployment: "),
    "job": Generator(_job, "failed to create job: "),
    "namespace": Generator(_namespace),
    "secret": Generator(_secret, "failed to create secret "),
}
"""Type -> how it is made."""
