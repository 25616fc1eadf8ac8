"""The Pod Security Standards: what a pod may not ask for at the levels baseline and restricted.

Source: k8s.io/pod-security-admission, policy (check_*.go).
Differs: the checks of the newest version hold for all versions; hosts of probes are not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

__all__ = ["LEVELS", "Violation", "violations"]

LEVELS = ("privileged", "baseline", "restricted")
_DEFAULT_CAPABILITIES = frozenset(
    [
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    ]
)
_SAFE_SYSCTLS = frozenset(
    [
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_wmem",
    ]
)
_SAFE_SELINUX_TYPES = frozenset(
    {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
)
_SAFE_VOLUMES = frozenset(
    [
        "configMap",
        "downwardAPI",
        "emptyDir",
        "projected",
        "secret",
        "csi",
        "persistentVolumeClaim",
        "ephemeral",
        "image",
    ]
)
_SECCOMP = ("RuntimeDefault", "Localhost")


class Violation(NamedTuple):
    """What a pod breaks: the rule in short, and who breaks it."""

    reason: str
    detail: str

    def __str__(self) -> str:
        """As the server words it."""
        return f"{self.reason} ({self.detail})" if self.detail else self.reason


class _Pod:
    """A pod's spec as the checks look at it."""

    def __init__(self, spec: dict[str, Any], annotations: dict[str, str]) -> None:
        self.spec = spec
        self.annotations = annotations
        self.context: dict[str, Any] = spec.get("securityContext") or {}
        self.containers: list[dict[str, Any]] = [
            container
            for part in ("initContainers", "containers", "ephemeralContainers")
            for container in spec.get(part) or ()
        ]
        self.is_windows = (spec.get("os") or {}).get("name") == "windows"

    def those(self, breaks: Callable[[dict[str, Any]], Any]) -> list[str]:
        """Return the names of the containers whose securityContext breaks a rule."""
        return [c["name"] for c in self.containers if breaks(c.get("securityContext") or {})]


_Check = Callable[[_Pod], Iterator[Violation]]


def violations(
    level: str, spec: dict[str, Any], annotations: dict[str, str] | None = None
) -> list[Violation]:
    """Return what a pod breaks at a level, in the order in which the server tells it.

    Args:
        level: One of `LEVELS`.
        spec: Of the pod, or of a pod template.
        annotations: Of the same.
    """
    pod = _Pod(spec, annotations or {})
    checks = {"privileged": (), "baseline": _BASELINE, "restricted": _RESTRICTED}[level]
    return [found for check in checks for found in check(pod)]


def _quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _containers(names: list[str]) -> str:
    return f"container{'s' if len(names) > 1 else ''} {_quoted(names)}"


def _app_armor(pod: _Pod) -> Iterator[Violation]:
    setters, values = [], []
    for key, value in sorted(pod.annotations.items()):
        prefix = "container.apparmor.security.beta.kubernetes.io/"
        allowed = value in ("", "runtime/default") or value.startswith("localhost/")
        if key.startswith(prefix) and not allowed:
            setters.append(f'annotation "{key}"')
            values.append(value)
    bad = pod.those(lambda c: (c.get("appArmorProfile") or {}).get("type") == "Unconfined")
    if (pod.context.get("appArmorProfile") or {}).get("type") == "Unconfined":
        setters.append("pod")
        values.append("Unconfined")
    if bad:
        setters.append(_containers(bad))
        values.append("Unconfined")
    if setters:
        word = "forbidden AppArmor profile" + ("s" if len(setters) > 1 else "")
        told = _quoted(sorted(set(values)))
        yield Violation(
            word, f"{' and '.join(setters)} must not set AppArmor profile type to {told}"
        )


def _added(context: dict[str, Any], allowed: frozenset[str]) -> list[str]:
    added = (context.get("capabilities") or {}).get("add") or ()
    return [name for name in added if name not in allowed]


def _too_many_capabilities(pod: _Pod, allowed: frozenset[str]) -> str:
    bad = pod.those(lambda c: _added(c, allowed))
    if not bad:
        return ""
    contexts = [c.get("securityContext") or {} for c in pod.containers]
    names = sorted({name for context in contexts for name in _added(context, allowed)})
    told = _quoted(names)
    return f"{_containers(bad)} must not include {told} in securityContext.capabilities.add"


def _capabilities_baseline(pod: _Pod) -> Iterator[Violation]:
    detail = _too_many_capabilities(pod, _DEFAULT_CAPABILITIES)
    if detail:
        yield Violation("non-default capabilities", detail)


def _host_namespaces(pod: _Pod) -> Iterator[Violation]:
    members = ("hostNetwork", "hostPID", "hostIPC")
    found = [f"{member}=true" for member in members if pod.spec.get(member)]
    if found:
        yield Violation("host namespaces", ", ".join(found))


def _host_paths(pod: _Pod) -> Iterator[Violation]:
    names = [v["name"] for v in pod.spec.get("volumes") or () if v.get("hostPath") is not None]
    if names:
        word = "volumes" if len(names) > 1 else "volume"
        yield Violation("hostPath volumes", f"{word} {_quoted(names)}")


def _host_ports(pod: _Pod) -> Iterator[Violation]:
    bad: list[str] = []
    ports: set[int] = set()
    for container in pod.containers:
        used = {p["hostPort"] for p in container.get("ports") or () if p.get("hostPort")}
        if used:
            bad.append(container["name"])
            ports |= used
    if bad:
        word = "hostPorts" if len(ports) > 1 else "hostPort"
        verb = "use" if len(bad) > 1 else "uses"
        told = ", ".join(sorted(map(str, ports)))
        yield Violation(word, f"{_containers(bad)} {verb} {word} {told}")


def _privileged(pod: _Pod) -> Iterator[Violation]:
    bad = pod.those(lambda c: c.get("privileged"))
    if bad:
        detail = f"{_containers(bad)} must not set securityContext.privileged=true"
        yield Violation("privileged", detail)


def _proc_mount(pod: _Pod) -> Iterator[Violation]:
    if pod.spec.get("hostUsers") is False:
        return
    bad = pod.those(lambda c: c.get("procMount") not in (None, "Default"))
    if bad:
        detail = f'{_containers(bad)} must not set securityContext.procMount to "Unmasked"'
        yield Violation("procMount", detail)


def _selinux(pod: _Pod) -> Iterator[Violation]:
    def options(context: dict[str, Any]) -> dict[str, Any]:
        return context.get("seLinuxOptions") or {}

    def is_bad(context: dict[str, Any]) -> bool:
        found = options(context)
        unsafe = found.get("type", "") not in _SAFE_SELINUX_TYPES
        return unsafe or bool(found.get("user") or found.get("role"))

    bad = pod.those(is_bad)
    setters = (["pod"] if is_bad(pod.context) else []) + ([_containers(bad)] if bad else [])
    if not setters:
        return
    contexts = [pod.context, *(c.get("securityContext") or {} for c in pod.containers)]
    types = sorted({options(c).get("type", "") for c in contexts} - _SAFE_SELINUX_TYPES)
    told = [f"type{'s' if len(types) > 1 else ''} {_quoted(types)}"] if types else []
    banned = [m for m in ("user", "role") if any(options(c).get(m) for c in contexts)]
    told += [f"{member} may not be set" for member in banned]
    verb = "set" if len(setters) > 1 or len(bad) > 1 else "sets"
    detail = f"{' and '.join(setters)} {verb} forbidden securityContext.seLinuxOptions: "
    yield Violation("seLinuxOptions", detail + "; ".join(told))


def _seccomp_type(context: dict[str, Any]) -> str | None:
    found: str | None = (context.get("seccompProfile") or {}).get("type")
    return found


def _seccomp_baseline(pod: _Pod) -> Iterator[Violation]:
    bad = pod.those(lambda c: _seccomp_type(c) == "Unconfined")
    setters = ["pod"] if _seccomp_type(pod.context) == "Unconfined" else []
    setters += [_containers(bad)] if bad else []
    if setters:
        told = f"{' and '.join(setters)} must not set securityContext.seccompProfile.type to "
        yield Violation("seccompProfile", f'{told}"Unconfined"')


def _sysctls(pod: _Pod) -> Iterator[Violation]:
    names = [s["name"] for s in pod.context.get("sysctls") or () if s["name"] not in _SAFE_SYSCTLS]
    if names:
        yield Violation("forbidden sysctls", ", ".join(names))


def _host_process(pod: _Pod) -> Iterator[Violation]:
    def is_one(context: dict[str, Any]) -> bool:
        return bool((context.get("windowsOptions") or {}).get("hostProcess"))

    bad = pod.those(is_one)
    setters = (["pod"] if is_one(pod.context) else []) + ([_containers(bad)] if bad else [])
    if setters:
        told = "must not set securityContext.windowsOptions.hostProcess=true"
        yield Violation("hostProcess", f"{' and '.join(setters)} {told}")


def _escalation(pod: _Pod) -> Iterator[Violation]:
    bad = pod.those(lambda c: c.get("allowPrivilegeEscalation") is not False)
    if bad and not pod.is_windows:
        detail = f"{_containers(bad)} must set securityContext.allowPrivilegeEscalation=false"
        yield Violation("allowPrivilegeEscalation != false", detail)


def _capabilities_restricted(pod: _Pod) -> Iterator[Violation]:
    if pod.is_windows:
        return
    told = []
    keeping = pod.those(lambda c: "ALL" not in ((c.get("capabilities") or {}).get("drop") or ()))
    if keeping:
        told.append(f'{_containers(keeping)} must set securityContext.capabilities.drop=["ALL"]')
    told.append(_too_many_capabilities(pod, frozenset({"NET_BIND_SERVICE"})))
    if any(told):
        yield Violation("unrestricted capabilities", "; ".join(filter(None, told)))


def _volume_types(pod: _Pod) -> Iterator[Violation]:
    bad, types = [], set()
    for volume in pod.spec.get("volumes") or ():
        unsafe = sorted(volume.keys() - {"name"} - _SAFE_VOLUMES)
        if unsafe:
            bad.append(volume["name"])
            types.update(unsafe)
    if bad:
        words = ("volumes", "use") if len(bad) > 1 else ("volume", "uses")
        kind = "volume types" if len(types) > 1 else "volume type"
        told = f"{words[0]} {_quoted(bad)} {words[1]} restricted {kind} {_quoted(sorted(types))}"
        yield Violation("restricted volume types", told)


def _non_root(pod: _Pod) -> Iterator[Violation]:
    def said(context: dict[str, Any]) -> Any:
        return context.get("runAsNonRoot")

    told, whole = [], said(pod.context)
    explicit = pod.those(lambda c: said(c) is False)
    unset = pod.those(lambda c: said(c) is None)
    setters = []
    if whole is False and unset:
        setters.append("pod")
    if explicit:
        setters.append(_containers(explicit))
    if setters:
        told.append(f"{' and '.join(setters)} must not set securityContext.runAsNonRoot=false")
    if unset and whole is None:
        told.append(f"pod or {_containers(unset)} must set securityContext.runAsNonRoot=true")
    if told:
        yield Violation("runAsNonRoot != true", "; ".join(told))


def _root_user(pod: _Pod) -> Iterator[Violation]:
    bad = pod.those(lambda c: c.get("runAsUser") == 0)
    setters = (["pod"] if pod.context.get("runAsUser") == 0 else []) + (
        [_containers(bad)] if bad else []
    )
    if setters:
        yield Violation("runAsUser=0", f"{' and '.join(setters)} must not set runAsUser=0")


def _seccomp_restricted(pod: _Pod) -> Iterator[Violation]:
    if pod.is_windows:
        return
    whole = _seccomp_type(pod.context)
    explicit = pod.those(lambda c: _seccomp_type(c) not in (None, *_SECCOMP))
    unset = pod.those(lambda c: _seccomp_type(c) is None)
    setters = ["pod"] if whole not in (None, *_SECCOMP) and unset else []
    setters += [_containers(explicit)] if explicit else []
    member, told = "securityContext.seccompProfile.type", []
    if setters:
        told.append(f'{" and ".join(setters)} must not set {member} to "Unconfined"')
    if unset and whole is None:
        choices = '"RuntimeDefault" or "Localhost"'
        told.append(f"pod or {_containers(unset)} must set {member} to {choices}")
    if told:
        yield Violation("seccompProfile", "; ".join(told))


_BASELINE: tuple[_Check, ...] = (
    _app_armor,
    _capabilities_baseline,
    _host_namespaces,
    _host_paths,
    _host_ports,
    _privileged,
    _proc_mount,
    _selinux,
    _seccomp_baseline,
    _sysctls,
    _host_process,
)
_RESTRICTED: tuple[_Check, ...] = (
    *(c for c in _BASELINE if c not in (_capabilities_baseline, _host_paths, _seccomp_baseline)),
    _escalation,
    _capabilities_restricted,
    _volume_types,
    _non_root,
    _root_user,
    _seccomp_restricted,
)
