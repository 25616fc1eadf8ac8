"""Descriptions of containers: their images, what they do, and what they are given.

Source: k8s.io/kubectl pkg/describe/describe.go (describeContainers).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gitops_sim.apimachinery.quantities import parse
from gitops_sim.kubectl.describe_text import Page, moment
from gitops_sim.types import Manifest

__all__ = ["describe_containers"]


def describe_containers(
    page: Page, title: str, containers: Sequence[Mapping[str, Any]], pod: Manifest | None
) -> None:
    """Write containers.

    Args:
        page: Is written on.
        title: What they are.
        containers: Of a pod's spec or of a template's.
        pod: Gives what they do; None: it is a template.
    """
    page.add(f"{'' if pod else '  '}{title}:{'' if containers else ' <none>'}")
    status = {} if pod is None else pod.get("status") or {}
    known = {
        entry["name"]: entry
        for group in ("container", "initContainer", "ephemeralContainer")
        for entry in status.get(f"{group}Statuses") or ()
    }
    for container in containers:
        seen = known.get(container["name"])
        page.add(f"{'' if pod else ' '}{container['name']}:", level=1)
        _basics(page, container, seen)
        _words(page, container)
        if seen is not None:
            _run(page, seen)
        _resources(page, container)
        for name in ("liveness", "readiness", "startup"):
            if container.get(f"{name}Probe"):
                page.add(f"{name.title()}:\t{_probe(container[f'{name}Probe'])}", level=2)
        _environment(page, container, pod)
        _mounts(page, container)


def _basics(page: Page, container: Mapping[str, Any], seen: Mapping[str, Any] | None) -> None:
    if seen is not None:
        page.add(f"Container ID:\t{seen.get('containerID', '')}", level=2)
    page.add(f"Image:\t{container.get('image', '')}", level=2)
    if seen is not None:
        page.add(f"Image ID:\t{seen.get('imageID', '')}", level=2)
    for title, member in (("Port", "containerPort"), ("Host Port", "hostPort")):
        texts = [
            f"{port.get(member, 0)}/{port.get('protocol', 'TCP')}"
            + (f" ({port['name']})" if port.get("name") else "")
            for port in container.get("ports") or ()
        ]
        plural = "s" if len(texts) > 1 else ""
        page.add(f"{title}{plural}:\t{', '.join(texts) or '<none>'}", level=2)


def _words(page: Page, container: Mapping[str, Any]) -> None:
    for title in ("Command", "Args"):
        texts = container.get(title.lower()) or ()
        if texts:
            page.add(f"{title}:", level=2)
        for line in (line for text in texts for line in text.split("\n")):
            page.add(line, level=3)


def _run(page: Page, seen: Mapping[str, Any]) -> None:
    _state(page, "State", seen.get("state") or {})
    if (seen.get("lastState") or {}).get("terminated"):
        _state(page, "Last State", seen["lastState"])
    page.add(f"Ready:\t{bool(seen.get('ready'))}", level=2)
    page.add(f"Restart Count:\t{seen.get('restartCount', 0)}", level=2)


def _state(page: Page, title: str, state: Mapping[str, Any]) -> None:
    running, ended = state.get("running"), state.get("terminated")
    if running is not None:
        page.add(f"{title}:\tRunning", level=2)
        page.add(f"Started:\t{moment(running.get('startedAt'))}", level=3)
    elif ended is not None:
        page.add(f"{title}:\tTerminated", level=2)
        page.add_present("Reason", ended.get("reason"), level=3)
        page.add_present("Message", ended.get("message"), level=3)
        page.add(f"Exit Code:\t{ended.get('exitCode', 0)}", level=3)
        page.add_present("Signal", ended.get("signal"), level=3)
        page.add(f"Started:\t{moment(ended.get('startedAt'))}", level=3)
        page.add(f"Finished:\t{moment(ended.get('finishedAt'))}", level=3)
    else:
        page.add(f"{title}:\tWaiting", level=2)
        page.add_present("Reason", (state.get("waiting") or {}).get("reason"), level=3)


def _resources(page: Page, container: Mapping[str, Any]) -> None:
    for part in ("limits", "requests"):
        amounts = (container.get("resources") or {}).get(part) or {}
        if amounts:
            page.add(f"{part.title()}:", level=2)
        for name, amount in sorted(amounts.items()):
            page.add(f"{name}:\t{amount}", level=3)


def _probe(probe: Mapping[str, Any]) -> str:
    text = (
        f"delay={probe.get('initialDelaySeconds', 0)}s timeout={probe.get('timeoutSeconds', 1)}s "
        f"period={probe.get('periodSeconds', 10)}s "
        f"successThreshold={probe.get('successThreshold', 1)} "
        f"failureThreshold={probe.get('failureThreshold', 3)}"
    )
    if probe.get("exec"):
        return f"exec [{' '.join(probe['exec'].get('command') or ())}] {text}"
    if probe.get("httpGet"):
        get = probe["httpGet"]
        scheme, path = get.get("scheme", "HTTP").lower(), get.get("path", "")
        return f"http-get {scheme}://{get.get('host', '')}:{get['port']}{path} {text}"
    if probe.get("tcpSocket"):
        socket = probe["tcpSocket"]
        return f"tcp-socket {socket.get('host', '')}:{socket['port']} {text}"
    if probe.get("grpc"):
        return f"grpc <pod>:{probe['grpc']['port']} {probe['grpc'].get('service', '')} {text}"
    return f"unknown {text}"


def _environment(page: Page, container: Mapping[str, Any], pod: Manifest | None) -> None:
    if container.get("envFrom"):
        page.add("Environment Variables from:", level=2)
    for source in container.get("envFrom") or ():
        kind = "ConfigMap" if "configMapRef" in source else "Secret"
        found = source.get("configMapRef") or source.get("secretRef") or {}
        prefix = f" with prefix '{source['prefix']}'" if source.get("prefix") else ""
        page.add(f"{found.get('name', '')}\t{kind}{prefix}\t{_optional(found)}", level=3)
    page.add("Environment:" if container.get("env") else "Environment:\t<none>", level=2)
    for entry in container.get("env") or ():
        first, *others = _value(entry, container, pod).split("\n")
        page.add(f"{entry['name']}:\t{first}", level=3)
        for line in others:
            page.add(f"\t{line}", level=3)


def _value(entry: Mapping[str, Any], container: Mapping[str, Any], pod: Manifest | None) -> str:
    source = entry.get("valueFrom")
    if source is None:
        return str(entry.get("value", ""))
    if "fieldRef" in source:
        path = source["fieldRef"]["fieldPath"]
        value = "" if pod is None or not path.startswith("metadata.") else _field(pod, path)
        return f"{value} ({source['fieldRef'].get('apiVersion', 'v1')}:{path})"
    if "resourceFieldRef" in source:
        resource = source["resourceFieldRef"]["resource"]
        return f"{_amount(container, source['resourceFieldRef'])} ({resource})"
    if "secretKeyRef" in source:
        key = source["secretKeyRef"]
        told = f"<set to the key '{key['key']}' in secret '{key.get('name', '')}'>"
    else:
        key = source.get("configMapKeyRef") or {}
        told = f"<set to the key '{key.get('key')}' of config map '{key.get('name', '')}'>"
    return f"{told}\t{_optional(key)}"


def _optional(source: Mapping[str, Any]) -> str:
    return f"Optional: {str(bool(source.get('optional'))).lower()}"


def _field(pod: Manifest, path: str) -> str:
    """Return what a field of a pod holds, as an environment variable gets it."""
    part, _, rest = path.partition(".")
    name, _, key = rest.partition("[")
    value = (pod.get(part) or {}).get(name, "")
    if key:
        value = (value or {}).get(key.strip("'\"]"), "")
    return "" if isinstance(value, dict | list) else str(value)


def _amount(container: Mapping[str, Any], reference: Mapping[str, Any]) -> str:
    part, _, name = reference["resource"].partition(".")
    amount = ((container.get("resources") or {}).get(part) or {}).get(name)
    if amount is None:
        return "node allocatable" if part == "limits" and name in ("cpu", "memory") else "0"
    divisor = parse(reference.get("divisor") or "0") or parse("1")
    return str(-(-parse(amount) // divisor))


def _mounts(page: Page, container: Mapping[str, Any]) -> None:
    mounts = sorted(container.get("volumeMounts") or (), key=lambda mount: str(mount["mountPath"]))
    page.add("Mounts:" if mounts else "Mounts:\t<none>", level=2)
    for mount in mounts:
        flags = "ro" if mount.get("readOnly") else "rw"
        if mount.get("subPath"):
            flags += f',path="{mount["subPath"]}"'
        page.add(f"{mount['mountPath']} from {mount['name']} ({flags})", level=3)
