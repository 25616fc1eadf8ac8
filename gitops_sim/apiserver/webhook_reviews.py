"""AdmissionReviews: what a webhook is told of a request, and what its answer means.

Source: k8s.io/apiserver, pkg/admission/plugin/webhook (request/admissionreview.go,
errors/statuserror.go).
Differs: reviews are always of admission.k8s.io/v1, also for webhooks that take v1beta1 too.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from gitops_sim.apiserver.matching import AdmissionRequest
from gitops_sim.errors import WebhookDeniedError
from gitops_sim.types import Manifest

__all__ = ["ReviewError", "Reviewed", "denial", "read_answer", "review_of"]

_API = "admission.k8s.io/v1"
_OPTIONS = {"CREATE": "CreateOptions", "UPDATE": "UpdateOptions", "DELETE": "DeleteOptions"}


class ReviewError(Exception):
    """The answer of a webhook is none; the text is the API server's."""


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What a webhook decided; `patch` is a JSON patch, None when it changes nothing."""

    allowed: bool
    status: dict[str, Any]
    warnings: tuple[str, ...]
    annotations: dict[str, str]
    patch: Any
    patch_type: str


def review_of(uid: str, request: AdmissionRequest, original: AdmissionRequest) -> Manifest:
    """Return the AdmissionReview of a request.

    Args:
        uid: Of the review.
        request: In the version that the webhook asked for.
        original: In the version of the request.
    """
    told, asked = request.attributes(), original.attributes()
    about = {
        "uid": uid,
        "kind": told["kind"],
        "resource": told["resource"],
        "subResource": told["subResource"],
        "requestKind": asked["kind"],
        "requestResource": asked["resource"],
        "requestSubResource": asked["subResource"],
        "name": told["name"],
        "namespace": told["namespace"],
        "operation": told["operation"],
        "userInfo": told["userInfo"],
    }
    write = request.write
    options = {"kind": _OPTIONS[request.operation], "apiVersion": "meta.k8s.io/v1"}
    if request.operation != "DELETE":
        options["fieldManager"] = write.manager
    return {
        "kind": "AdmissionReview",
        "apiVersion": _API,
        "request": {name: value for name, value in about.items() if value}
        | {
            "object": request.object,
            "oldObject": request.old_object,
            "dryRun": write.dry_run,
            "options": options | ({"dryRun": ["All"]} if write.dry_run else {}),
        },
    }


def read_answer(answer: Any, uid: str, *, mutating: bool) -> Reviewed:
    """Read the AdmissionReview that a webhook answered.

    Raises:
        ReviewError: It is none, about another request, or has what it must not have.
    """
    if not isinstance(answer, dict):
        raise ReviewError("webhook response was absent")
    response = answer.get("response")
    if not isinstance(response, dict):
        raise ReviewError("webhook response was absent")
    if response.get("uid") != uid:
        raise ReviewError(f'expected response.uid="{uid}", got "{response.get("uid") or ""}"')
    found = _kind_text(answer.get("apiVersion"), answer.get("kind"))
    expected = _kind_text(_API, "AdmissionReview")
    if found != expected:
        raise ReviewError(f"expected webhook response of {expected}, got {found}")
    patch, patch_type = response.get("patch"), response.get("patchType")
    problem = _patch_problem(patch, patch_type, mutating=mutating)
    if problem:
        raise ReviewError(problem)
    return Reviewed(
        response.get("allowed") is True,
        dict(response.get("status") or {}),
        tuple(map(str, response.get("warnings") or ())),
        {str(k): str(v) for k, v in (response.get("auditAnnotations") or {}).items()},
        _decoded(patch) if patch else None,
        str(patch_type or ""),
    )


def _kind_text(api_version: Any, kind: Any) -> str:
    return f"{api_version or ''}, Kind={kind or ''}"


def _patch_problem(patch: Any, patch_type: Any, *, mutating: bool) -> str:
    if not mutating:
        if patch:
            return "validating webhook may not return response.patch"
        return "" if patch_type is None else "validating webhook may not return response.patchType"
    if patch and patch_type is None:
        return "webhook returned response.patch but not response.patchType"
    if not patch and patch_type is not None:
        return "webhook returned response.patchType but not response.patch"
    return 'webhook returned invalid response.patchType of ""' if patch_type == "" else ""


def _decoded(patch: Any) -> Any:
    try:
        return json.loads(base64.b64decode(str(patch), validate=True))
    except (binascii.Error, ValueError) as error:
        raise ReviewError(f"response.patch is no base64 of JSON: {error}") from None


def denial(name: str, status: dict[str, Any]) -> WebhookDeniedError:
    """Return the refusal of a request that a webhook did not allow, with the code it gave."""
    denied = f'admission webhook "{name}" denied the request'
    explained = status.get("message") or status.get("reason")
    code = status.get("code")
    return WebhookDeniedError(
        f"{denied}: {explained}" if explained else f"{denied} without explanation",
        status.get("details"),
        code if isinstance(code, int) and code >= 400 else 400,
        str(status.get("reason") or ""),
    )
