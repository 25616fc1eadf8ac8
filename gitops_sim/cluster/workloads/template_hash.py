"""The hash of a pod template that names ReplicaSets and revisions.

Source: k8s.io/kubernetes, pkg/controller/controller_utils.go (ComputeHash) and
pkg/controller/history/controller_history.go (HashControllerRevision).
Differs: Kubernetes feeds the hash with Go's dump of the template, the lab with its JSON, so the
letters differ from a real cluster's; equal templates have equal hashes in both.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from gitops_sim.apimachinery.names import SUFFIX_LETTERS

__all__ = ["compute_hash", "safe_encode"]

_OFFSET, _PRIME, _MASK = 0x811C9DC5, 0x01000193, 0xFFFFFFFF


def compute_hash(value: Any, collision_count: int | None) -> str:
    """Return the hash of a JSON value, about ten letters that make no words.

    Args:
        value: A pod template, or the data of a revision.
        collision_count: Of the owner's status: how often this hash was taken already.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    salt = b"" if collision_count is None else str(collision_count).encode()
    return safe_encode(str(_fnv_1a(text.encode() + salt)))


def safe_encode(text: str) -> str:
    """Return text in `SUFFIX_LETTERS`, letter by letter.

    Source: k8s.io/apimachinery, pkg/util/rand SafeEncodeString.
    """
    return "".join(SUFFIX_LETTERS[ord(letter) % len(SUFFIX_LETTERS)] for letter in text)


def _fnv_1a(data: Iterable[int]) -> int:
    found = _OFFSET
    for byte in data:
        found = ((found ^ byte) * _PRIME) & _MASK
    return found
