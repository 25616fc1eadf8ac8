"""Rules of Jobs and CronJobs.

Source: k8s.io/kubernetes, pkg/apis/batch/validation; github.com/robfig/cron for schedules.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from gitops_sim.apimachinery import causes
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.internal_forms import internal_form
from gitops_sim.apimachinery.schedules import schedule_problem, time_zone_problem
from gitops_sim.apimachinery.validation_job_policies import policy_causes
from gitops_sim.apimachinery.validation_parts import (
    immutable,
    is_selector,
    label_selector,
    matches,
    non_negative,
    supported,
)
from gitops_sim.apimachinery.validation_pods import pod_template_causes
from gitops_sim.types import Manifest

__all__ = ["cron_job_causes", "cron_job_update_causes", "job_causes", "job_update_causes"]

_MAX_CRON_JOB_NAME = 52
_MISMATCH = "`selector` does not match template `labels`"


def job_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a Job."""
    spec = manifest["spec"]
    yield from _job_spec_causes(spec, "spec")
    if spec.get("selector") is None:
        yield causes.required("spec.selector")
    else:
        yield from label_selector(spec["selector"], "spec.selector")
        labels = (spec["template"].get("metadata") or {}).get("labels")
        if is_selector(spec["selector"]) and not matches(spec["selector"], labels):
            shown = None if labels is None else dict(sorted(labels.items()))
            yield causes.invalid("spec.template.metadata.labels", shown, _MISMATCH)


def job_update_causes(manifest: Manifest, before: Manifest) -> Iterator[Cause]:
    """Yield what an update of a Job may not change."""
    new, old = manifest["spec"], before["spec"]
    if new.get("completions") != old.get("completions") and not _elastic(new, old):
        yield causes.invalid("spec.completions", new.get("completions"), "field is immutable")
    yield from immutable(
        new,
        old,
        "spec",
        "selector",
        "completionMode",
        "podFailurePolicy",
        "backoffLimitPerIndex",
        "managedBy",
        "successPolicy",
    )
    if _fixed_template(new, old) != _fixed_template(old, old):
        inside = internal_form(new["template"].get("spec") or {}, "PodSpec")
        if old.get("suspend"):
            yield causes.invalid("spec.template.spec", inside, "field is immutable")
        else:
            metadata = new["template"].get("metadata") or {}
            maps = {k: dict(sorted(v.items())) for k, v in metadata.items() if isinstance(v, dict)}
            shown = {**metadata, **maps, "Spec": inside}
            yield causes.invalid("spec.template", shown, "field is immutable")


def _elastic(new: dict[str, Any], old: dict[str, Any]) -> bool:
    """True when an indexed job is scaled by setting completions and parallelism alike."""
    indexed = new.get("completionMode") == "Indexed" == old.get("completionMode")
    return indexed and new.get("completions") == new.get("parallelism")


def _fixed_template(spec: dict[str, Any], old: dict[str, Any]) -> Any:
    """Return what of a template is fixed: a suspended job that never ran may be rescheduled."""
    template = spec["template"]
    if not old.get("suspend"):
        return template
    free = ("nodeSelector", "tolerations", "affinity", "schedulingGates")
    inside = {k: v for k, v in (template.get("spec") or {}).items() if k not in free}
    return {"spec": inside}


def cron_job_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a new CronJob."""
    yield from _cron_job_spec_causes(manifest)
    name = manifest["metadata"].get("name", "")
    if len(name) > _MAX_CRON_JOB_NAME:
        text = f"must be no more than {_MAX_CRON_JOB_NAME} characters"
        yield causes.invalid("metadata.name", name, text)
    zone = manifest["spec"].get("timeZone")
    if zone is not None:
        problem = time_zone_problem(zone)
        if problem:
            yield causes.invalid("spec.timeZone", zone, problem)


def cron_job_update_causes(manifest: Manifest, before: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with the time zone of a changed CronJob."""
    zone = manifest["spec"].get("timeZone")
    if zone is not None and zone != before["spec"].get("timeZone"):
        problem = time_zone_problem(zone)
        if problem:
            yield causes.invalid("spec.timeZone", zone, problem)


def _cron_job_spec_causes(manifest: Manifest) -> Iterator[Cause]:
    spec = manifest["spec"]
    schedule = spec.get("schedule", "")
    if not schedule:
        yield causes.required("spec.schedule")
    else:
        problem = schedule_problem(schedule)
        if problem:
            yield causes.invalid("spec.schedule", schedule, problem)
        if re.search("TZ", schedule):
            text = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
            yield causes.invalid("spec.schedule", schedule, text)
    yield from non_negative(
        spec,
        "spec",
        "startingDeadlineSeconds",
        "successfulJobsHistoryLimit",
        "failedJobsHistoryLimit",
    )
    words = ("Allow", "Forbid", "Replace")
    yield from supported(spec.get("concurrencyPolicy"), "spec.concurrencyPolicy", words)
    inside = (spec.get("jobTemplate") or {}).get("spec") or {}
    yield from _job_spec_causes(inside, "spec.jobTemplate.spec")
    if inside.get("manualSelector"):
        never = ("nil", "false")
        shown = inside["manualSelector"]
        yield causes.not_supported("spec.jobTemplate.spec.manualSelector", shown, never)
    if inside.get("selector"):
        text = "`selector` will be auto-generated"
        yield causes.invalid("spec.jobTemplate.spec.selector", inside["selector"], text)


def _job_spec_causes(spec: dict[str, Any], path: str) -> Iterator[Cause]:
    yield from non_negative(
        spec,
        path,
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    )
    mode = spec.get("completionMode", "NonIndexed")
    yield from supported(mode, f"{path}.completionMode", ("NonIndexed", "Indexed"))
    if mode == "Indexed" and spec.get("completions") is None:
        yield causes.required(f"{path}.completions", "when completion mode is Indexed")
    if mode == "NonIndexed":
        for member in ("backoffLimitPerIndex", "maxFailedIndexes"):
            if spec.get(member) is not None:
                text = "requires indexed completion mode"
                yield causes.invalid(f"{path}.{member}", spec[member], text)
    if spec.get("maxFailedIndexes") is not None and spec.get("backoffLimitPerIndex") is None:
        yield causes.required(f"{path}.backoffLimitPerIndex", "when maxFailedIndexes is specified")
    yield from policy_causes(spec, path)
    template = spec.get("template") or {}
    yield from pod_template_causes(template, f"{path}.template")
    policy = (template.get("spec") or {}).get("restartPolicy")
    place = f"{path}.template.spec.restartPolicy"
    if policy in (None, "", "Always"):
        yield causes.required(place, 'valid values: "OnFailure", "Never"')
    elif policy not in ("OnFailure", "Never"):
        yield causes.not_supported(place, policy, ("OnFailure", "Never"))
    elif spec.get("podFailurePolicy") and policy != "Never":
        text = 'only "Never" is supported when podFailurePolicy is specified'
        yield causes.invalid(place, policy, text)
