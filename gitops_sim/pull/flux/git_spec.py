"""The spec of a GitRepository, parsed once at the door.

Differs: `include` and `verify` are refused with a Stalled condition. Credentials (the Secret must
exist), proxies and submodules are taken and not used: every repository of the lab's forge may be
read by everyone. A `timeout` never strikes, since the forge answers at once or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass

from gitops_sim.clock import parse_duration
from gitops_sim.types import Manifest

__all__ = ["GitRef", "GitRepositorySpec"]

_UNSUPPORTED = ("include", "verify")


@dataclass(frozen=True, slots=True)
class GitRef:
    """Which revision; `commit` beats `name`, `name` beats `semver`, then `tag`, then `branch`."""

    branch: str = ""
    tag: str = ""
    semver: str = ""
    name: str = ""
    commit: str = ""


@dataclass(frozen=True, slots=True)
class GitRepositorySpec:
    """What the controller does with a GitRepository; `interval` in seconds.

    `unsupported` names a field that is set and that this lab cannot honour, if there is one.
    """

    url: str
    interval: float
    ref: GitRef
    suspend: bool = False
    ignore: str | None = None
    sparse_checkout: tuple[str, ...] = ()
    secret: str = ""
    unsupported: str = ""

    @classmethod
    def from_manifest(cls, manifest: Manifest) -> GitRepositorySpec:
        """Read the spec of an object that its schema has checked."""
        spec = manifest["spec"]
        ref = spec.get("ref") or {}
        return cls(
            url=spec["url"],
            interval=parse_duration(spec["interval"]),
            ref=GitRef(
                branch=ref.get("branch", ""),
                tag=ref.get("tag", ""),
                semver=ref.get("semver", ""),
                name=ref.get("name", ""),
                commit=ref.get("commit", ""),
            ),
            suspend=bool(spec.get("suspend")),
            ignore=spec.get("ignore"),
            sparse_checkout=tuple(spec.get("sparseCheckout") or ()),
            secret=(spec.get("secretRef") or {}).get("name", ""),
            unsupported=next((name for name in _UNSUPPORTED if spec.get(name)), ""),
        )
