"""Random kustomizations: what is built in process is what kubectl gives, byte for byte."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitops_sim.render import FolderTree
from gitops_sim.render.inprocess import NotInProcessError
from tests.render.oracle import by_kubectl, in_process, write

NAMES = st.sampled_from(["web", "db", "flags", "a.b", "default"])
TEXTS = st.sampled_from(
    [
        "a",
        "1",
        "true",
        "null",
        "y",
        "",
        "two words",
        "1.5",
        "x: y",
        "#c",
        "é",
        "a\nb\n",
        "- a",
        "<&>",
    ]
)
KEYS = st.sampled_from(["app", "team", "example.com/x", *(f"a{number}" for number in range(1, 12))])
PAIRS = st.dictionaries(KEYS, TEXTS, min_size=1, max_size=2)
IMAGES = st.sampled_from(
    ["nginx", "nginx:1.25", "example.com:5000/a/b:v1", "b@sha256:00", "nginxx:1"]
)
KINDS = {
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "Job": "batch/v1",
    "CronJob": "batch/v1",
    "Pod": "v1",
    "Service": "v1",
    "ConfigMap": "v1",
    "Secret": "v1",
    "ServiceAccount": "v1",
    "Namespace": "v1",
    "ClusterRole": "rbac.authorization.k8s.io/v1",
    "RoleBinding": "rbac.authorization.k8s.io/v1",
    "ClusterRoleBinding": "rbac.authorization.k8s.io/v1",
    "PriorityClass": "scheduling.k8s.io/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
    "Ingress": "networking.k8s.io/v1",
    "Widget": "example.com/v1",
}
SCALED = ("Deployment", "StatefulSet")
POD_SPECS = {
    "Pod": ("spec",),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
    **dict.fromkeys(
        ("Deployment", "StatefulSet", "DaemonSet", "Job"), ("spec", "template", "spec")
    ),
}


@st.composite
def containers(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Containers that refer to settings by name."""
    names = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    found = []
    for name in names:
        container: dict[str, Any] = {"name": name}
        if draw(st.booleans()):
            container["image"] = draw(IMAGES)
        if draw(st.booleans()):
            variables = draw(st.lists(NAMES, max_size=3, unique=True))
            container["env"] = [{"name": one, "value": draw(TEXTS)} for one in variables]
        if draw(st.booleans()):
            kind = draw(st.sampled_from(["configMapRef", "secretRef"]))
            container["envFrom"] = [{kind: {"name": draw(NAMES)}}]
        if draw(st.integers(0, 5)) == 0:
            container["resources"] = draw(st.sampled_from([{}, {"limits": {"cpu": 1}}, None]))
        if draw(st.integers(0, 5)) == 0:
            container["args"] = draw(st.lists(TEXTS, max_size=2))
        found.append(container)
    return found


@st.composite
def pod_specs(draw: st.DrawFn) -> dict[str, Any]:
    """The spec of a pod."""
    spec: dict[str, Any] = {"containers": draw(containers())}
    if draw(st.booleans()):
        spec["serviceAccountName"] = draw(NAMES)
    if draw(st.booleans()):
        spec["volumes"] = [
            {"name": name, "configMap": {"name": draw(NAMES)}}
            for name in draw(st.lists(NAMES, max_size=2, unique=True))
        ]
    if draw(st.integers(0, 4)) == 0:
        spec["initContainers"] = draw(containers())
    return spec


@st.composite
def manifests(draw: st.DrawFn) -> dict[str, Any]:
    """An object of a random kind."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    manifest: dict[str, Any] = {"apiVersion": KINDS[kind], "kind": kind}
    manifest["metadata"] = draw(metadata())
    manifest |= draw(contents(kind))
    return manifest


@st.composite
def metadata(draw: st.DrawFn) -> dict[str, Any]:
    """A name, and perhaps more."""
    found: dict[str, Any] = {"name": draw(NAMES)}
    for field in ("labels", "annotations"):
        if draw(st.integers(0, 3)) == 0:
            found[field] = draw(PAIRS)
    if draw(st.integers(0, 5)) == 0:
        found["namespace"] = draw(st.sampled_from(["default", "shop", "other"]))
    return found


@st.composite
def contents(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """What an object of a kind holds; partly nothing."""
    path = POD_SPECS.get(kind)
    if path:
        inner = draw(pod_specs())
        for step in reversed(path):
            inner = {step: inner}
        if kind in ("Deployment", "StatefulSet") and draw(st.booleans()):
            inner["spec"]["replicas"] = draw(st.integers(0, 3))
            inner["spec"]["selector"] = {"matchLabels": draw(PAIRS)}
        return inner
    named = draw(NAMES)
    subject = {"kind": "ServiceAccount", "name": named}
    if draw(st.booleans()):
        subject["namespace"] = draw(st.sampled_from(["default", "shop", "other"]))
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": draw(NAMES)}
    made: dict[str, dict[str, Any]] = {
        "ConfigMap": {"data": draw(PAIRS)},
        "Secret": {"stringData": draw(PAIRS)},
        "Service": {"spec": {"ports": [{"port": 80}]}},
        "RoleBinding": {"roleRef": role, "subjects": [subject]},
        "ClusterRoleBinding": {"roleRef": role, "subjects": [subject]},
        "HorizontalPodAutoscaler": {
            "spec": {"scaleTargetRef": {"kind": "Deployment", "name": named}}
        },
        "Widget": {"spec": {"containers": draw(containers()), "list": [1, 2.5, None]}},
        "PriorityClass": {"value": 1000},
        "Ingress": {"spec": {"tls": [{"secretName": named}]}},
    }
    return made.get(kind, {})


@st.composite
def merge_patches(draw: st.DrawFn, targets: list[dict[str, Any]]) -> dict[str, Any]:
    """An entry of `patches` that merges into one of the objects."""
    target = draw(st.sampled_from(targets))
    patch = {key: target[key] for key in ("apiVersion", "kind")}
    about = draw(metadata())
    patch["metadata"] = about | {"name": target["metadata"]["name"]}
    patch["metadata"].pop("namespace", None)
    if "namespace" in target["metadata"]:
        patch["metadata"]["namespace"] = target["metadata"]["namespace"]
    patch |= draw(contents(target["kind"]))
    if draw(st.integers(0, 4)) == 0:
        patch["metadata"]["annotations"] = {"app": None}
    entry: dict[str, Any] = {"patch": json.dumps(patch, indent=1)}
    if draw(st.booleans()):
        entry["target"] = {"kind": draw(st.sampled_from([target["kind"], "Deploy.*", ".*"]))}
    return entry


@st.composite
def json_patches(draw: st.DrawFn) -> dict[str, Any]:
    """An entry of `patches` with a JSON patch."""
    path = draw(
        st.sampled_from(
            [
                "/metadata/labels/app",
                "/metadata/annotations",
                "/spec/replicas",
                "/data/app",
                "/spec/template/spec/containers/0/image",
                "/spec/template/spec/containers/-",
            ]
        )
    )
    operation = {"op": draw(st.sampled_from(["add", "replace", "remove"])), "path": path}
    if operation["op"] != "remove":
        operation["value"] = draw(st.one_of(TEXTS, PAIRS, st.integers(0, 3)))
    target = {"kind": draw(st.sampled_from(sorted(KINDS))), "name": draw(NAMES)}
    for part in draw(st.sets(st.sampled_from(["kind", "name"]), max_size=1)):
        del target[part]
    return {"target": target, "patch": json.dumps([operation])}


@st.composite
def generators(draw: st.DrawFn) -> dict[str, Any]:
    """An entry of a generator."""
    entry: dict[str, Any] = {"name": draw(NAMES)}
    keys = draw(st.lists(st.sampled_from(["k1", "k-2", "K.3"]), max_size=3, unique=True))
    entry["literals"] = [f"{key}={draw(TEXTS)}" for key in keys]
    if draw(st.integers(0, 5)) == 0:
        entry["behavior"] = draw(st.sampled_from(["create", "merge", "replace"]))
    if draw(st.integers(0, 2)) == 0:
        entry["options"] = {"labels": draw(PAIRS), "disableNameSuffixHash": draw(st.booleans())}
    return entry


@st.composite
def kustomizations(draw: st.DrawFn, targets: list[dict[str, Any]]) -> dict[str, Any]:
    """The fields of a kustomization, without resources."""
    fields: dict[str, Any] = {
        "namespace": st.sampled_from(["shop", "default", "other"]),
        "namePrefix": st.sampled_from(["p-", "q"]),
        "nameSuffix": st.just("-s"),
        "commonLabels": PAIRS,
        "commonAnnotations": PAIRS,
        "labels": st.lists(
            st.fixed_dictionaries(
                {"pairs": PAIRS},
                optional={"includeSelectors": st.booleans(), "includeTemplates": st.booleans()},
            ),
            min_size=1,
            max_size=2,
        ),
        "images": st.lists(
            st.fixed_dictionaries(
                {"name": st.sampled_from(["nginx", "example.com:5000/a/b", "b"])},
                optional={
                    "newName": st.just("new/name"),
                    "newTag": st.sampled_from(["v2", "1.0"]),
                    "digest": st.just("sha256:11"),
                },
            ),
            min_size=1,
            max_size=2,
        ),
        "configMapGenerator": st.lists(generators(), min_size=1, max_size=2),
        "secretGenerator": st.lists(generators(), min_size=1, max_size=2),
    }
    scaled = [one["metadata"]["name"] for one in targets if one["kind"] in SCALED]
    if scaled:
        entry = {"name": st.sampled_from(scaled), "count": st.integers(0, 5)}
        fields["replicas"] = st.lists(st.fixed_dictionaries(entry), min_size=1, max_size=1)
    if targets:
        one = st.one_of(merge_patches(targets), json_patches())
        fields["patches"] = st.lists(one, min_size=1, max_size=2)
    chosen = draw(st.sets(st.sampled_from(sorted(fields)), min_size=1, max_size=4))
    return {name: draw(fields[name]) for name in sorted(chosen)}


@st.composite
def trees(draw: st.DrawFn) -> dict[str, str]:
    """The files of an overlay on a base, perhaps with a component."""
    objects = draw(st.lists(manifests(), min_size=1, max_size=5))
    more = draw(st.lists(manifests(), max_size=2))
    base = {"resources": ["all.yaml"], **draw(kustomizations(objects))}
    top: dict[str, Any] = {"resources": ["../base"], **draw(kustomizations(objects + more))}
    files = {"base/all.yaml": "---\n".join(json.dumps(one, indent=1) + "\n" for one in objects)}
    if more:
        files["top/more.yaml"] = "---\n".join(json.dumps(one, indent=1) + "\n" for one in more)
        top["resources"].append("more.yaml")
    if draw(st.integers(0, 3)) == 0:
        component = draw(kustomizations(objects))
        component |= {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component"}
        files["extra/kustomization.yaml"] = json.dumps(component, indent=1)
        top["components"] = ["../extra"]
    files["base/kustomization.yaml"] = json.dumps(base, indent=1)
    files["top/kustomization.yaml"] = json.dumps(top, indent=1)
    return files


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(trees())
def test_kubectl_gives_the_same_bytes(files: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), files)
        tree = FolderTree(folder)
        try:
            ours = in_process(tree, "top")
        except NotInProcessError:
            return
        assert (ours, "") == by_kubectl(tree, "top")
