"""What every namespace gets: the ServiceAccount `default`, and the bundle of the cluster's CA.

Source: k8s.io/kubernetes, pkg/controller/serviceaccount/serviceaccounts_controller.go and
pkg/controller/certificates/rootcacertpublisher/publisher.go.
Differs: the certificate in `kube-root-ca.crt` is a stand-in: nothing inside the simulation
verifies it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gitops_sim.apiserver.bootstrap import STAND_IN_CERTIFICATE
from gitops_sim.cluster.controlling import Context, ControllerSpec, Reconciling, step
from gitops_sim.cluster.ownership import is_being_deleted
from gitops_sim.cluster.workloads.pods import is_namespace_terminating
from gitops_sim.errors import AlreadyExistsError, ForbiddenError
from gitops_sim.runtime import Caches, Request, Watched
from gitops_sim.runtime.requests import RequestMapper
from gitops_sim.types import Manifest

__all__ = ["ROOT_CA", "SERVICE_ACCOUNTS"]

_NAMESPACES, _ACCOUNTS, _MAPS = "v1/Namespace", "v1/ServiceAccount", "v1/ConfigMap"
_ACCOUNT, _BUNDLE = "default", "kube-root-ca.crt"
_DESCRIPTION = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal "
    "endpoints such as the internal service IP or kubernetes.default.svc. No other usage is "
    "guaranteed across distributions of Kubernetes clusters."
)


def _account(namespace: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": _ACCOUNT, "namespace": namespace},
    }


def _bundle(namespace: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": _BUNDLE,
            "namespace": namespace,
            "annotations": {"kubernetes.io/description": _DESCRIPTION},
        },
        "data": {"ca.crt": STAND_IN_CERTIFICATE},
    }


def _bring(
    context: Context, request: Request, kind: str, made: Callable[[str], Manifest]
) -> Reconciling:
    """Create an object in a namespace, or give it back the data that it should have."""
    namespace = context.caches[_NAMESPACES].get(request.name)
    if namespace is None or is_being_deleted(namespace):
        return None
    wanted = made(request.name)
    found = context.caches[kind].get(wanted["metadata"]["name"], request.name)
    if found is not None:
        if found.get("data") != wanted.get("data"):
            yield step("update", wanted)
            context.client.update(found | {"data": wanted["data"]})
        return None
    yield step("create", wanted)
    try:
        context.client.create(wanted)
    except AlreadyExistsError:
        return None
    except ForbiddenError as error:
        if not is_namespace_terminating(error):
            raise
    return None


def _namespace_of(name: str) -> RequestMapper:
    """Ask for the namespace of an object of that name."""

    def mapper(manifest: Manifest, caches: Caches) -> Iterable[Request]:
        metadata = manifest["metadata"]
        return (Request("", metadata["namespace"]),) if metadata["name"] == name else ()

    return mapper


def _spec(
    name: str, kind: str, object_name: str, made: Callable[[str], Manifest]
) -> ControllerSpec:
    return ControllerSpec(
        name,
        (Watched(_NAMESPACES), Watched(kind, requests=_namespace_of(object_name))),
        lambda context: lambda request: _bring(context, request, kind, made),
    )


SERVICE_ACCOUNTS = _spec("serviceaccount-controller", _ACCOUNTS, _ACCOUNT, _account)
ROOT_CA = _spec("root-ca-certificate-publisher-controller", _MAPS, _BUNDLE, _bundle)
