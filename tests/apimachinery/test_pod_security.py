"""The Pod Security Standards in the words of the server."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_sim.apimachinery.pod_security import violations

SAFE: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def spec(*contexts: dict[str, Any], **more: Any) -> dict[str, Any]:
    names = ("web", "log", "db")
    containers = [
        {"name": name, "image": "x", "securityContext": context}
        for name, context in zip(names, contexts, strict=False)
    ]
    return {"containers": containers} | more


def told(level: str, pod: dict[str, Any], **notes: str) -> list[str]:
    return [str(found) for found in violations(level, pod, notes)]


def test_a_plain_pod_is_baseline_and_breaks_four_rules_of_restricted() -> None:
    plain = spec({})
    assert told("privileged", spec({"privileged": True})) == []
    assert told("baseline", plain) == []
    assert told("restricted", plain) == [
        (
            "allowPrivilegeEscalation != false "
            '(container "web" must set securityContext.allowPrivilegeEscalation=false)'
        ),
        (
            "unrestricted capabilities "
            '(container "web" must set securityContext.capabilities.drop=["ALL"])'
        ),
        'runAsNonRoot != true (pod or container "web" must set securityContext.runAsNonRoot=true)',
        (
            'seccompProfile (pod or container "web" must set '
            'securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")'
        ),
    ]
    assert told("restricted", spec(SAFE)) == []


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        (
            spec({"privileged": True}, {"privileged": True}),
            'privileged (containers "web", "log" must not set securityContext.privileged=true)',
        ),
        (
            spec({}, hostNetwork=True, hostPID=True),
            "host namespaces (hostNetwork=true, hostPID=true)",
        ),
        (
            spec({}, volumes=[{"name": "logs", "hostPath": {"path": "/var/log"}}]),
            'hostPath volumes (volume "logs")',
        ),
        (
            spec({"capabilities": {"add": ["NET_ADMIN", "CHOWN"]}}),
            (
                'non-default capabilities (container "web" must not include "NET_ADMIN" in '
                "securityContext.capabilities.add)"
            ),
        ),
        (
            {"containers": [{"name": "web", "ports": [{"hostPort": 80}, {"hostPort": 443}]}]},
            'hostPorts (container "web" uses hostPorts 443, 80)',
        ),
        (
            spec({}, securityContext={"seccompProfile": {"type": "Unconfined"}}),
            'seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")',
        ),
        (
            spec({}, securityContext={"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}),
            "forbidden sysctls (kernel.msgmax)",
        ),
        (
            spec({"procMount": "Unmasked"}),
            'procMount (container "web" must not set securityContext.procMount to "Unmasked")',
        ),
        (
            spec({"seLinuxOptions": {"type": "spc_t", "user": "me"}}),
            (
                'seLinuxOptions (container "web" sets forbidden securityContext.seLinuxOptions: '
                'type "spc_t"; user may not be set)'
            ),
        ),
        (
            spec({"windowsOptions": {"hostProcess": True}}),
            (
                'hostProcess (container "web" must not set '
                "securityContext.windowsOptions.hostProcess=true)"
            ),
        ),
        (
            spec({"appArmorProfile": {"type": "Unconfined"}}),
            (
                'forbidden AppArmor profile (container "web" must not set AppArmor profile type to '
                '"Unconfined")'
            ),
        ),
    ],
)
def test_what_baseline_forbids(pod: dict[str, Any], expected: str) -> None:
    assert told("baseline", pod) == [expected]


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        (
            spec(SAFE, volumes=[{"name": "a", "hostPath": {}}, {"name": "b", "nfs": {}}]),
            (
                'restricted volume types (volumes "a", "b" use restricted volume types "hostPath", '
                '"nfs")'
            ),
        ),
        (
            spec(SAFE | {"runAsUser": 0}),
            'runAsUser=0 (container "web" must not set runAsUser=0)',
        ),
        (
            spec(SAFE, SAFE | {"runAsNonRoot": False}),
            (
                'runAsNonRoot != true (container "log" must not set '
                "securityContext.runAsNonRoot=false)"
            ),
        ),
        (
            spec(SAFE | {"capabilities": {"drop": ["ALL"], "add": ["CHOWN"]}}),
            (
                'unrestricted capabilities (container "web" must not include "CHOWN" in '
                "securityContext.capabilities.add)"
            ),
        ),
    ],
)
def test_what_restricted_forbids_beside_it(pod: dict[str, Any], expected: str) -> None:
    assert told("restricted", pod) == [expected]


def test_a_pod_may_answer_for_its_containers() -> None:
    whole = {"runAsNonRoot": True, "seccompProfile": {"type": "Localhost"}}
    container = {k: SAFE[k] for k in ("allowPrivilegeEscalation", "capabilities")}
    assert told("restricted", spec(container, securityContext=whole)) == []


def test_windows_has_no_capabilities() -> None:
    found = told("restricted", spec({}, os={"name": "windows"}))
    assert [text.partition(" ")[0] for text in found] == ["runAsNonRoot"]
