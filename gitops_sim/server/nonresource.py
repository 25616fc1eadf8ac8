"""Paths that are no resources: discovery, OpenAPI, version, health, metrics.

Source: k8s.io/apiserver, pkg/server/routes, pkg/server/healthz.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from gitops_sim.apimachinery.builtin_data import KUBERNETES_VERSION
from gitops_sim.apimachinery.status_errors import unknown_resource
from gitops_sim.apiserver import discovery
from gitops_sim.apiserver.definitions import is_custom_group
from gitops_sim.apiserver.server import ApiServer
from gitops_sim.server.answers import NOT_FOUND, Answer, compact, json_answer, text_answer
from gitops_sim.server.beside import Beside
from gitops_sim.server.health import CHECKS, health, paths_of_checks
from gitops_sim.server.media import Convertible, as_told, negotiate
from gitops_sim.server.requests import Request, Wanted

__all__ = ["serve_path"]

_AGGREGATED: Convertible = tuple(
    ("apidiscovery.k8s.io", version, "APIGroupDiscoveryList") for version in ("v2",)
)
_OPENID = {
    "issuer": "https://kubernetes.default.svc.cluster.local",
    "response_types_supported": ["id_token"],
    "subject_types_supported": ["public"],
    "id_token_signing_alg_values_supported": ["RS256"],
}
_CACHED = (("cache-control", "public, max-age=3600"),)


def serve_path(server: ApiServer, request: Request, wanted: Wanted, beside: Beside) -> Answer:
    """Answer a request for a path that is no resource."""
    path = wanted.path
    if request.method not in ("GET", "HEAD"):
        return NOT_FOUND
    steps = path.strip("/").split("/")
    match steps[0]:
        case "api" | "apis":
            return _discovery(server, request, steps)
        case "version":
            return Answer(200, body=json.dumps(_version(), indent=2).encode())
        case word if word in CHECKS:
            return health(path, verbose="verbose" in request.query)
        case "openapi":
            return beside.documents.serve(request, steps[1:])
        case "metrics" if len(steps) == 1:
            return text_answer(beside.metrics.text())
    if path == "/.well-known/openid-configuration":
        uri = f"https://{request.header('host')}/openid/v1/jwks"
        return json_answer(_OPENID | {"jwks_uri": uri}, headers=_CACHED)
    if path == "/openid/v1/jwks":
        return json_answer({"keys": []}, headers=_CACHED)
    if path == "/":
        return json_answer({"paths": _paths(server)})
    return NOT_FOUND


def _discovery(server: ApiServer, request: Request, steps: list[str]) -> Answer:
    is_core, rest = steps[0] == "api", steps[1:]
    if not rest:
        return _root(server, request, core=is_core)
    group, rest = ("", rest) if is_core else (rest[0], rest[1:])
    if group and not server.kinds.has_group(group):
        return NOT_FOUND
    if not rest:
        return json_answer(discovery.api_group(server, group))
    if len(rest) > 1:
        raise unknown_resource()
    found = discovery.api_resources(server, group, rest[0])
    if found is None and is_custom_group(group):
        return NOT_FOUND
    if found is None:
        raise unknown_resource()
    return json_answer(found)


def _root(server: ApiServer, request: Request, *, core: bool) -> Answer:
    """Answer `/api` or `/apis`, aggregated for clients that ask for it."""
    form = negotiate(request.header("accept"), _AGGREGATED)
    if form.kind:
        told = discovery.aggregated(server, f"{form.group}/{form.version}", core=core)
        body = compact(told)
        tag = f'"{hashlib.sha512(body).hexdigest().upper()}"'
        headers = (("etag", tag), ("cache-control", "public"), ("vary", "Accept"))
        if request.header("if-none-match") == tag:
            return Answer(304, "", b"", headers)
        return Answer(200, as_told(form), body, headers)
    if not core:
        return json_answer(discovery.api_groups(server))
    address = {"clientCIDR": "0.0.0.0/0", "serverAddress": request.header("host")}
    told = {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [address]}
    return json_answer(told)


def _version() -> dict[str, Any]:
    major, minor, _ = KUBERNETES_VERSION.removeprefix("v").split(".")
    return {
        "major": major,
        "minor": minor,
        "emulationMajor": major,
        "emulationMinor": minor,
        "minCompatibilityMajor": major,
        "minCompatibilityMinor": str(int(minor) - 1),
        "gitVersion": KUBERNETES_VERSION,
        "gitCommit": "unknown",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "go1.26.8",
        "compiler": "gc",
        "platform": "linux/amd64",
    }


def _paths(server: ApiServer) -> list[str]:
    groups = discovery.groups_in_order(server)
    found = ["/.well-known/openid-configuration", "/api", "/api/v1", "/apis", "/apis/"]
    found += [f"/apis/{group}" for group in groups]
    found += [f"/apis/{group}/{v}" for group, versions in groups.items() for v in versions]
    found += paths_of_checks()
    found += ["/flagz", "/metrics", "/metrics/slis", "/openapi/v2", "/openapi/v3", "/openapi/v3/"]
    found += ["/openid/v1/jwks", "/statusz", "/version"]
    return sorted(found)
