"""Rules of security contexts: of a pod, and of a container.

Source: k8s.io/kubernetes, pkg/apis/core/validation/validation.go (validatePodSpecSecurityContext,
ValidateSecurityContext).
Differs: options of Windows and AppArmor profiles are taken as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from gitops_sim.apimachinery import causes
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.internal_forms import internal_form
from gitops_sim.apimachinery.validation_parts import between, supported

__all__ = ["container_security_causes", "pod_security_causes"]

_MOST = 2**31 - 1
_SECCOMP = ("Localhost", "RuntimeDefault", "Unconfined")
_SYSCTL = r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_LONGEST_SYSCTL = 253


def pod_security_causes(context: dict[str, Any], path: str) -> Iterator[Cause]:
    """Yield what is wrong with the security context of a pod spec."""
    for member in ("fsGroup", "runAsUser", "runAsGroup"):
        if context.get(member) is not None:
            yield from between(context[member], 0, _MOST, f"{path}.{member}")
    for index, group in enumerate(context.get("supplementalGroups") or ()):
        yield from between(group, 0, _MOST, f"{path}.supplementalGroups[{index}]")
    yield from _sysctl_causes(context.get("sysctls") or (), f"{path}.sysctls")
    if context.get("fsGroupChangePolicy") is not None:
        words = ("Always", "OnRootMismatch")
        yield from supported(context["fsGroupChangePolicy"], f"{path}.fsGroupChangePolicy", words)
    yield from _seccomp_causes(context.get("seccompProfile"), f"{path}.seccompProfile")


def container_security_causes(
    context: dict[str, Any], path: str, *, host_users: bool
) -> Iterator[Cause]:
    """Yield what is wrong with the security context of a container.

    Args:
        context: It.
        path: Where it is.
        host_users: The pod has the users of its node.
    """
    for member in ("runAsUser", "runAsGroup"):
        if context.get(member) is not None:
            yield from between(context[member], 0, _MOST, f"{path}.{member}")
    mount = context.get("procMount")
    if mount is not None:
        yield from supported(mount, f"{path}.procMount", ("Default", "Unmasked"))
        if host_users and mount == "Unmasked":
            text = "`hostUsers` must be false to use `Unmasked`"
            yield causes.invalid(f"{path}.procMount", mount, text)
    yield from _seccomp_causes(context.get("seccompProfile"), f"{path}.seccompProfile")
    if context.get("allowPrivilegeEscalation") is not False:
        return
    shown = internal_form(context, "SecurityContext")
    if context.get("privileged"):
        text = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
        yield causes.invalid(path, shown, text)
    if "CAP_SYS_ADMIN" in ((context.get("capabilities") or {}).get("add") or ()):
        text = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
        yield causes.invalid(path, shown, text)


def _sysctl_causes(sysctls: Any, path: str) -> Iterator[Cause]:
    seen = set()
    for index, sysctl in enumerate(sysctls):
        name, place = sysctl.get("name", ""), f"{path}[{index}].name"
        if not name:
            yield causes.required(place)
        elif len(name) > _LONGEST_SYSCTL or not re.fullmatch(_SYSCTL, name):
            text = f"must have at most {_LONGEST_SYSCTL} characters and match regex ^{_SYSCTL}$"
            yield causes.invalid(place, name, text)
        elif name in seen:
            yield causes.duplicate(place, name)
        seen.add(name)


def _seccomp_causes(profile: dict[str, Any] | None, path: str) -> Iterator[Cause]:
    if profile is None:
        return
    kind, file = profile.get("type", ""), profile.get("localhostProfile")
    if not kind:
        yield causes.required(f"{path}.type", "type is required when seccompProfile is set")
    else:
        yield from supported(kind, f"{path}.type", _SECCOMP)
    if kind == "Localhost":
        if file is None:
            text = "must be set when seccomp type is Localhost"
            yield causes.required(f"{path}.localhostProfile", text)
    elif file is not None:
        shown = internal_form(profile, "SeccompProfile")
        text = "can only be set when seccomp type is Localhost"
        yield causes.invalid(f"{path}.localhostProfile", shown, text)
