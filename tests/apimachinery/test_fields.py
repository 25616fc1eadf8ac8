"""Field selectors."""

from __future__ import annotations

import pytest

from gitops_sim.apimachinery.fields import parse_field_selector
from gitops_sim.errors import BadRequestError

POD = {
    "kind": "Pod",
    "metadata": {"name": "web-1", "namespace": "shop"},
    "spec": {"nodeName": "node-1"},
    "status": {"phase": "Running", "podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}]},
}
EVENT = {
    "kind": "Event",
    "metadata": {"name": "e"},
    "involvedObject": {"kind": "Pod", "name": "web-1"},
    "source": {"component": "kubelet"},
    "reason": "Started",
}
JOB = {"kind": "Job", "metadata": {"name": "j"}, "status": {"succeeded": 2}}


@pytest.mark.parametrize(
    ("text", "manifest", "matches"),
    [
        ("", POD, True),
        ("metadata.name=web-1,metadata.namespace==shop", POD, True),
        ("metadata.name!=web-1", POD, False),
        ("status.phase=Running,spec.nodeName!=node-2", POD, True),
        ("spec.host=node-1", POD, True),
        ("status.podIPs=10.0.0.1\\,fd00::1", POD, False),
        ("status.podIPs=", POD, True),
        ("regarding.name=web-1,reportingController!=x", EVENT, True),
        ("spec.hostNetwork=false", POD, True),
        ("status.nominatedNodeName=", POD, True),
        ("involvedObject.name=web-1,source=kubelet,reason=Started", EVENT, True),
        ("status.successful=2", JOB, True),
        ("spec.unschedulable=true", {"spec": {"unschedulable": True}}, True),
        ("spec.unschedulable=false", {"spec": {}}, True),
        ("metadata.name.x=", {"metadata": {"name": "a"}}, True),
    ],
)
def test_fields_select_objects(text: str, manifest: dict[str, object], *, matches: bool) -> None:
    assert parse_field_selector(text).matches(manifest) is matches


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a", "invalid selector: 'a'; can't understand 'a'"),
        ("a=b\\x", "invalid field selector: invalid escape sequence: \\x"),
        ("a=b=c", "invalid field selector: unescaped character in value: 61"),
    ],
)
def test_wrong_text_is_refused(text: str, problem: str) -> None:
    with pytest.raises(BadRequestError) as error:
        parse_field_selector(text)
    assert str(error.value) == problem


def test_fields_that_a_kind_does_not_support_are_refused_in_the_servers_words() -> None:
    selector = parse_field_selector("data.a=b")
    with pytest.raises(BadRequestError) as error:
        selector.check("", "ConfigMap")
    assert str(error.value) == (
        '"data.a" is not a known field selector: only "metadata.name", "metadata.namespace"'
    )
    with pytest.raises(BadRequestError, match=r"^field label not supported: data\.a$"):
        selector.check("", "Pod")
    with pytest.raises(BadRequestError, match=r'^field label "data.a" not supported for Job$'):
        selector.check("batch", "Job")
    size = parse_field_selector("spec.size=1")
    with pytest.raises(BadRequestError, match=r"^field label not supported: spec\.size$"):
        size.check("lab.example.com", "Widget")
    size.check("lab.example.com", "Widget", selectable=["spec.size"])
    assert not size.empty
