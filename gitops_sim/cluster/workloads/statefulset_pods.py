"""The pods of a StatefulSet: each has an ordinal, a name and claims that outlive it.

Source: k8s.io/kubernetes, pkg/controller/statefulset (stateful_set_utils.go,
stateful_pod_control.go).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from gitops_sim.cluster.controlling import Context, Steps, step
from gitops_sim.cluster.ownership import is_being_deleted, owner_reference
from gitops_sim.cluster.workloads.pods import is_ready, phase_of, pod_from_template
from gitops_sim.cluster.workloads.revisions import REVISION_LABEL
from gitops_sim.errors import AlreadyExistsError, ApiError, NotFoundError
from gitops_sim.types import Manifest

__all__ = [
    "bring_claims",
    "create_stateful_pod",
    "delete_stateful_pod",
    "fix_identity",
    "is_healthy",
    "is_running_and_ready",
    "ordinal_of",
    "own_claims",
    "revision_name_of",
    "stateful_pod",
]

POD_NAME_LABEL = "statefulset.kubernetes.io/pod-name"
_INDEX_LABEL = "apps.kubernetes.io/pod-index"
_CLAIMS = "v1/PersistentVolumeClaim"
_NAME = re.compile(r"(.*)-([0-9]+)", re.ASCII)


def ordinal_of(statefulset: Manifest, pod: Manifest) -> int | None:
    """Return the ordinal in a pod's name; None when it is no name of this set's pods."""
    found = _NAME.fullmatch(pod["metadata"]["name"])
    if found is None or found[1] != statefulset["metadata"]["name"]:
        return None
    return int(found[2])


def revision_name_of(pod: Manifest) -> str:
    """Return the name of the revision that a pod was made from."""
    return str((pod["metadata"].get("labels") or {}).get(REVISION_LABEL, ""))


def is_running_and_ready(pod: Manifest) -> bool:
    """True when a pod runs and is ready, be it that it is being deleted."""
    return phase_of(pod) == "Running" and is_ready(pod)


def is_healthy(pod: Manifest) -> bool:
    """True when a pod runs, is ready, and is not being deleted."""
    return is_running_and_ready(pod) and not is_being_deleted(pod)


def stateful_pod(
    statefulset: Manifest, template: Manifest, ordinal: int, revision: str
) -> Manifest:
    """Return the pod of an ordinal, made from a revision's template."""
    set_name = statefulset["metadata"]["name"]
    name = f"{set_name}-{ordinal}"
    pod = pod_from_template(
        template,
        statefulset,
        name=name,
        generateName=f"{set_name}-",
        labels={**_identity(name, ordinal), REVISION_LABEL: revision},
    )
    spec = {**pod["spec"], "hostname": name, "subdomain": statefulset["spec"].get("serviceName")}
    if not spec["subdomain"]:
        del spec["subdomain"]
    claimed = [
        {
            "name": claim["metadata"]["name"],
            "persistentVolumeClaim": {"claimName": _claim_name(claim, name)},
        }
        for claim in _claim_templates(statefulset)
    ]
    if claimed:
        names = {volume["name"] for volume in claimed}
        kept = [v for v in spec.get("volumes") or () if v["name"] not in names]
        spec["volumes"] = [*claimed, *kept]
    return pod | {"spec": spec}


def create_stateful_pod(context: Context, statefulset: Manifest, pod: Manifest) -> Steps:
    """Create a pod's claims, then the pod; nothing if it is there already."""
    yield from bring_claims(context, statefulset, pod)
    name, set_name = pod["metadata"]["name"], statefulset["metadata"]["name"]
    yield step("create", pod)
    try:
        context.client.create(pod)
    except AlreadyExistsError:
        return
    except ApiError as error:
        message = f"Create Pod {name} in StatefulSet {set_name} failed error: {error}"
        context.events.event(statefulset, "Warning", "FailedCreate", message)
        raise
    message = f"Create Pod {name} in StatefulSet {set_name} successful"
    context.events.event(statefulset, "Normal", "SuccessfulCreate", message)


def delete_stateful_pod(context: Context, statefulset: Manifest, pod: Manifest) -> Steps:
    """Delete a pod; its claims stay."""
    metadata = pod["metadata"]
    yield step("delete", pod)
    try:
        context.client.delete("v1/Pod", metadata["name"], metadata["namespace"])
    except NotFoundError:
        return
    set_name = statefulset["metadata"]["name"]
    message = f"Delete Pod {metadata['name']} in StatefulSet {set_name} successful"
    context.events.event(statefulset, "Normal", "SuccessfulDelete", message)


def fix_identity(context: Context, pod: Manifest, ordinal: int) -> Steps:
    """Put back the labels that tell which replica a pod is."""
    labels = pod["metadata"].get("labels") or {}
    wanted = {**labels, **_identity(pod["metadata"]["name"], ordinal)}
    if wanted == labels:
        return
    yield step("update", pod)
    context.client.update(pod | {"metadata": {**pod["metadata"], "labels": wanted}})


def bring_claims(context: Context, statefulset: Manifest, pod: Manifest) -> Steps:
    """Create the claims of a pod that are not there."""
    set_name, name = statefulset["metadata"]["name"], pod["metadata"]["name"]
    namespace = statefulset["metadata"]["namespace"]
    for template in _claim_templates(statefulset):
        claim_name = _claim_name(template, name)
        if context.caches[_CLAIMS].get(claim_name, namespace) is not None:
            continue
        claim = _claim(statefulset, template, claim_name)
        told = f"Create Claim {claim_name} Pod {name} in StatefulSet {set_name}"
        yield step("create", claim)
        try:
            context.client.create(claim)
        except AlreadyExistsError:
            continue
        except ApiError as error:
            message = f"{told} failed error: {error}"
            context.events.event(statefulset, "Warning", "FailedCreate", message)
            raise
        context.events.event(statefulset, "Normal", "SuccessfulCreate", f"{told} success")


def own_claims(
    context: Context, statefulset: Manifest, pod: Manifest, owner: Manifest | None
) -> Steps:
    """Let the claims of a pod go with `owner`, as the retention policy `Delete` wants it.

    Args:
        context: Of the reconcile.
        statefulset: Whose claims.
        pod: Of which pod.
        owner: The set or the pod; None: they stay.
    """
    metadata = pod["metadata"]
    ours = {statefulset["metadata"]["uid"], metadata["uid"]}
    wanted = []
    if owner is not None:
        identity = {"apiVersion": "v1", "kind": "Pod"} if owner is pod else {}
        wanted = [owner_reference(owner | identity)]
    for template in _claim_templates(statefulset):
        name = _claim_name(template, metadata["name"])
        claim = context.caches[_CLAIMS].get(name, metadata["namespace"])
        if claim is None:
            continue
        references = claim["metadata"].get("ownerReferences") or []
        if [known for known in references if known["uid"] in ours] == wanted:
            continue
        yield step("update", claim)
        kept = [known for known in references if known["uid"] not in ours]
        changed = {**claim["metadata"], "ownerReferences": [*kept, *wanted]}
        context.client.update(claim | {"metadata": changed})


def _identity(name: str, ordinal: int) -> dict[str, str]:
    return {POD_NAME_LABEL: name, _INDEX_LABEL: str(ordinal)}


def _claim_templates(statefulset: Manifest) -> Iterable[Manifest]:
    return statefulset["spec"].get("volumeClaimTemplates") or ()


def _claim_name(template: Manifest, pod_name: str) -> str:
    return f"{template['metadata']['name']}-{pod_name}"


def _claim(statefulset: Manifest, template: Manifest, name: str) -> Manifest:
    metadata = dict(template["metadata"])
    labels = {
        **(metadata.get("labels") or {}),
        **(statefulset["spec"]["selector"].get("matchLabels") or {}),
    }
    metadata |= {"name": name, "namespace": statefulset["metadata"]["namespace"]}
    if labels:
        metadata["labels"] = labels
    made: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": metadata,
        "spec": template["spec"],
    }
    return made
