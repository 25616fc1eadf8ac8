"""When a Job has failed, or succeeded early: limits, deadline, and the rules of its policies.

Source: k8s.io/kubernetes, pkg/controller/job (job_controller.go, pod_failure_policy.go,
success_policy.go).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from gitops_sim.cluster.controlling import seconds_of
from gitops_sim.cluster.workloads.job_indexes import (
    FAILURES,
    attempts_before,
    index_of,
    parse_indexes,
    retries_each_index,
)
from gitops_sim.cluster.workloads.pods import phase_of
from gitops_sim.protocols import Clock
from gitops_sim.types import Manifest

__all__ = [
    "Indexes",
    "Verdict",
    "counts_as_failure",
    "failed_for_good",
    "failure_of",
    "success_of",
]


class Verdict(NamedTuple):
    """Why a Job is over, as its conditions and event tell it."""

    reason: str
    message: str


class Indexes(NamedTuple):
    """Of an indexed Job: the indexes that are complete, and those that failed for good."""

    done: set[int]
    failed: set[int]


def failure_of(
    job: Manifest, pods: Sequence[Manifest], failed: int, indexes: Indexes, clock: Clock
) -> Verdict | None:
    """Return why a Job fails now, or None.

    Args:
        job: Whose limits, activeDeadlineSeconds and podFailurePolicy.
        pods: All of its pods.
        failed: How many pods failed and count.
        indexes: What became of its indexes.
        clock: Tells how long it ran.
    """
    if _has_condition(job, "SuccessCriteriaMet"):
        return None
    decided = _told_already(job) or _by_policy(job, pods)
    if decided is not None:
        return decided
    spec = job["spec"]
    limit = spec.get("backoffLimit", 6)
    if failed > limit or _restarts_exceed(job, pods, limit):
        return Verdict("BackoffLimitExceeded", "Job has reached the specified backoff limit")
    if _is_past_deadline(job, clock):
        return Verdict("DeadlineExceeded", "Job was active longer than specified deadline")
    return _by_indexes(job, indexes)


def _is_past_deadline(job: Manifest, clock: Clock) -> bool:
    deadline = job["spec"].get("activeDeadlineSeconds")
    started = (job.get("status") or {}).get("startTime")
    if deadline is None or started is None or job["spec"].get("suspend"):
        return False
    return bool(clock.now() - seconds_of(clock, started) >= deadline)


def success_of(job: Manifest, done: set[int]) -> Verdict | None:
    """Return the rule of the successPolicy that the completed indexes of a Job meet, or None."""
    for entry in (job.get("status") or {}).get("conditions") or ():
        if entry["type"] == "SuccessCriteriaMet" and entry["status"] == "True":
            return Verdict(entry["reason"], entry["message"])
    rules = (job["spec"].get("successPolicy") or {}).get("rules") or ()
    for place, rule in enumerate(rules):
        if _meets(rule, done, job["spec"]["completions"]):
            return Verdict("SuccessPolicy", f"Matched rules at index {place}")
    return None


def failed_for_good(job: Manifest, pods: Iterable[Manifest]) -> set[int]:
    """Return the indexes that are not tried again, by backoffLimitPerIndex and failure policy."""
    if not retries_each_index(job):
        return set()
    told = (job.get("status") or {}).get("failedIndexes") or ""
    found = parse_indexes(told, job["spec"]["completions"])
    limit = job["spec"]["backoffLimitPerIndex"]
    for pod in pods:
        index = index_of(pod)
        if index is None or index >= job["spec"]["completions"]:
            continue
        rule = _rule_for(job, pod)
        action = "Count" if rule is None else rule["action"]
        is_used_up = action == "Count" and attempts_before(pod, FAILURES) >= limit
        if action == "FailIndex" or is_used_up:
            found.add(index)
    return found


def _meets(rule: Mapping[str, Any], done: set[int], completions: int) -> bool:
    wanted, count = rule.get("succeededIndexes"), rule.get("succeededCount")
    among = set(range(completions)) if wanted is None else parse_indexes(wanted, completions)
    return len(among & done) >= (len(among) if count is None else int(count))


def _by_indexes(job: Manifest, indexes: Indexes) -> Verdict | None:
    spec, failed = job["spec"], len(indexes.failed)
    most = spec.get("maxFailedIndexes")
    if most is not None and failed > most:
        text = "Job has exceeded the specified maximal number of failed indexes"
        return Verdict("MaxFailedIndexesExceeded", text)
    if failed and failed + len(indexes.done) >= spec["completions"]:
        return Verdict("FailedIndexes", "Job has failed indexes")
    return None


def counts_as_failure(job: Manifest, pod: Manifest) -> bool:
    """False when a rule of the podFailurePolicy says to ignore a failed pod."""
    rule = _rule_for(job, pod)
    return rule is None or rule["action"] != "Ignore"


def _has_condition(job: Manifest, type_: str) -> bool:
    conditions = (job.get("status") or {}).get("conditions") or ()
    return any(c["type"] == type_ and c["status"] == "True" for c in conditions)


def _told_already(job: Manifest) -> Verdict | None:
    """Return what the condition FailureTarget says: it was decided before."""
    for condition in (job.get("status") or {}).get("conditions") or ():
        if condition["type"] == "FailureTarget" and condition["status"] == "True":
            return Verdict(condition["reason"], condition["message"])
    return None


def _restarts_exceed(job: Manifest, pods: Iterable[Manifest], limit: int) -> bool:
    """With restartPolicy OnFailure the restarts of containers count as failures."""
    if job["spec"]["template"]["spec"].get("restartPolicy") != "OnFailure":
        return False
    restarts = sum(
        int(status.get("restartCount", 0))
        for pod in pods
        if phase_of(pod) in ("Running", "Pending")
        for status in _container_statuses(pod)
    )
    return restarts >= limit if limit else restarts > 0


def _by_policy(job: Manifest, pods: Iterable[Manifest]) -> Verdict | None:
    for pod in pods:
        rule = _rule_for(job, pod)
        if rule is None or rule["action"] != "FailJob":
            continue
        rules = job["spec"]["podFailurePolicy"]["rules"]
        return Verdict("PodFailurePolicy", _policy_message(pod, rule, rules.index(rule)))
    return None


def _rule_for(job: Manifest, pod: Manifest) -> Mapping[str, Any] | None:
    """Return the first rule of the podFailurePolicy that a failed pod matches."""
    policy = job["spec"].get("podFailurePolicy")
    if policy is None or phase_of(pod) != "Failed":
        return None
    for rule in policy.get("rules") or ():
        if _matched_container(pod, rule) is not None or _matched_condition(pod, rule) is not None:
            found: Mapping[str, Any] = rule
            return found
    return None


def _matched_container(pod: Manifest, rule: Mapping[str, Any]) -> Mapping[str, Any] | None:
    wanted = rule.get("onExitCodes")
    if wanted is None:
        return None
    for status in _container_statuses(pod):
        ended = (status.get("state") or {}).get("terminated") or {}
        code = ended.get("exitCode", 0)
        if not code or wanted.get("containerName") not in (None, status["name"]):
            continue
        if (code in wanted["values"]) == (wanted["operator"] == "In"):
            return status
    return None


def _matched_condition(pod: Manifest, rule: Mapping[str, Any]) -> Mapping[str, Any] | None:
    for pattern in rule.get("onPodConditions") or ():
        for condition in (pod.get("status") or {}).get("conditions") or ():
            if condition["type"] == pattern["type"] and condition["status"] == pattern.get(
                "status", "True"
            ):
                found: Mapping[str, Any] = condition
                return found
    return None


def _policy_message(pod: Manifest, rule: Mapping[str, Any], index: int) -> str:
    metadata = pod["metadata"]
    subject = f"pod {metadata['namespace']}/{metadata['name']}"
    container = _matched_container(pod, rule)
    if container is not None:
        code = container["state"]["terminated"]["exitCode"]
        return (
            f"Container {container['name']} for {subject} failed with exit code {code} "
            f"matching FailJob rule at index {index}"
        )
    condition = _matched_condition(pod, rule) or {}
    return (
        f"Pod {metadata['namespace']}/{metadata['name']} has condition {condition.get('type')} "
        f"matching FailJob rule at index {index}"
    )


def _container_statuses(pod: Manifest) -> Iterable[Mapping[str, Any]]:
    status = pod.get("status") or {}
    return [
        *(status.get("containerStatuses") or ()),
        *(status.get("initContainerStatuses") or ()),
    ]
