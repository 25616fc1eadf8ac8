"""The order of ports in Endpoints and EndpointSlices: by a hash of each, as Go prints it.

Source: k8s.io/endpointslice, util (NewPortMapKey, DeepHashObject); k8s.io/kubernetes,
pkg/api/v1/endpoints/util.go (RepackSubsets); Go, hash/fnv.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

__all__ = ["in_endpoints", "in_slice"]

_OFFSET, _PRIME = 0x6C62272E07BB014262B821756295C58D, 0x0000000001000000000000000000013B
_NIL = "<nil>"


def in_slice(ports: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return ports in the order of an EndpointSlice."""
    return [dict(port) for port in sorted(ports, key=_slice_key)]


def in_endpoints(ports: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return ports in the order of Endpoints."""
    return [dict(port) for port in sorted(ports, key=_endpoints_key)]


def _slice_key(port: Mapping[str, Any]) -> int:
    return _hash(
        f"(v1.EndpointPort){{Name:(*string){port.get('name', '')} "
        f"Protocol:(*v1.Protocol){port.get('protocol', 'TCP')} "
        f"Port:(*int32){port.get('port', _NIL)} "
        f"AppProtocol:(*string){port.get('appProtocol', _NIL)}}}"
    )


def _endpoints_key(port: Mapping[str, Any]) -> int:
    return _hash(
        f"(v1.EndpointPort){{Name:(string){port.get('name', '')} Port:(int32){port['port']} "
        f"Protocol:(v1.Protocol){port.get('protocol', 'TCP')} "
        f"AppProtocol:(*string){port.get('appProtocol', _NIL)}}}"
    )


@lru_cache(maxsize=4096)
def _hash(text: str) -> int:
    """Return the FNV-1a hash of 128 bits."""
    found = _OFFSET
    for byte in text.encode():
        found = ((found ^ byte) * _PRIME) & ((1 << 128) - 1)
    return found
