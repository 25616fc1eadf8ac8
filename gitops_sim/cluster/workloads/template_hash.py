"""The hashes that name ReplicaSets and revisions: the same as a real cluster's.

Source: k8s.io/kubernetes, pkg/controller/controller_utils.go (ComputeHash) and
pkg/controller/history/controller_history.go (HashControllerRevision).
"""

from __future__ import annotations

import json
from typing import Any

from gitops_sim.apimachinery.names import SUFFIX_LETTERS
from gitops_sim.cluster.workloads.go_dump import dump_template
from gitops_sim.types import Manifest

__all__ = ["revision_hash", "safe_encode", "template_hash"]

_OFFSET, _PRIME, _MASK = 0x811C9DC5, 0x01000193, 0xFFFFFFFF
_ESCAPED = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})
"""Go's JSON escapes these."""


def template_hash(template: Manifest, collision_count: int | None) -> str:
    """Return the hash of a pod template, about ten letters that make no words.

    Args:
        template: With all defaults, as the server stores it.
        collision_count: Of the owner's status: how often this hash was taken already.
    """
    salt = b"" if collision_count is None else collision_count.to_bytes(8, "little")
    found = _OFFSET
    for byte in dump_template(template).encode() + salt:  # FNV-1a
        found = ((found ^ byte) * _PRIME) & _MASK
    return safe_encode(str(found))


def revision_hash(data: Any, collision_count: int) -> str:
    """Return the hash of the data of a StatefulSet's revision."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    found = _OFFSET
    for byte in f"{text.translate(_ESCAPED)}{collision_count}".encode():  # FNV-1
        found = ((found * _PRIME) & _MASK) ^ byte
    return safe_encode(str(found))


def safe_encode(text: str) -> str:
    """Return text in `SUFFIX_LETTERS`, letter by letter.

    Source: k8s.io/apimachinery, pkg/util/rand SafeEncodeString.
    """
    return "".join(SUFFIX_LETTERS[ord(letter) % len(SUFFIX_LETTERS)] for letter in text)
