"""Counts of requests and objects, as Prometheus text.

Source: k8s.io/apiserver, pkg/endpoints/metrics; names of the stable metrics.
"""

from __future__ import annotations

from collections import Counter

from gitops_sim.apiserver.server import ApiServer
from gitops_sim.server.requests import Wanted

__all__ = ["Metrics"]

_REQUESTS_HELP = (
    "# HELP apiserver_request_total [STABLE] Counter of apiserver requests broken out for each "
    "verb, group, version, resource, subresource and HTTP response code."
)
_OBJECTS_HELP = (
    "# HELP apiserver_resource_objects [STABLE] Number of stored objects at the time of last check "
    "split by kind."
)


class Metrics:
    """What one server has counted since its start.

    Differs: only apiserver_request_total and apiserver_resource_objects are there.
    """

    def __init__(self, server: ApiServer) -> None:
        self._server = server
        self._requests: Counter[tuple[str, str, str, str, str, str]] = Counter()

    def count(self, wanted: Wanted, method: str, status: int) -> None:
        """Count one answered request."""
        verb = wanted.verb.upper() if wanted.is_resource else method
        scope = "resource" if wanted.name else "namespace" if wanted.namespace else "cluster"
        key = (verb, wanted.group, wanted.version, wanted.resource, wanted.subresource, scope)
        self._requests[*key[:5], str(status)] += 1

    def text(self) -> str:
        """Return all counts in the text format."""
        lines = [
            _REQUESTS_HELP,
            "# TYPE apiserver_request_total counter",
        ]
        for (verb, group, version, resource, part, code), number in sorted(self._requests.items()):
            lines.append(
                f'apiserver_request_total{{code="{code}",group="{group}",resource="{resource}",'
                f'subresource="{part}",verb="{verb}",version="{version}"}} {number}'
            )
        lines += [
            _OBJECTS_HELP,
            "# TYPE apiserver_resource_objects gauge",
        ]
        counted = {
            (t.group, t.plural): len(self._server.store.objects(kind))
            for kind in self._server.store.kinds()
            for t in self._server.kinds.versions(kind.group, kind.kind)
        }
        for (group, plural), number in sorted(counted.items()):
            lines.append(
                f'apiserver_resource_objects{{group="{group}",resource="{plural}"}} {number}'
            )
        return "\n".join(lines) + "\n"
