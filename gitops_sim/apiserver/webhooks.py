"""Admission webhooks: the lab's own functions, asked by AdmissionReviews as HTTPS servers are.

A MutatingWebhookConfiguration or ValidatingWebhookConfiguration names a URL or a Service; a
function registered under that address answers. It gets a whole AdmissionReview and returns one.

Source: k8s.io/apiserver, pkg/admission/plugin/webhook (mutating, validating, request, errors).
Differs: nothing is called over the network: an address without a function is one that cannot be
reached, which the webhook's failurePolicy judges. Webhooks are called once, not again after others.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

from gitops_sim.apimachinery.cel import CelError, compile_expression
from gitops_sim.apimachinery.copying import fresh_copy
from gitops_sim.apimachinery.patches import json_patch
from gitops_sim.apiserver.matching import AdmissionRequest
from gitops_sim.apiserver.preparing import decode, fill_defaults
from gitops_sim.apiserver.server import ApiServer, Write
from gitops_sim.apiserver.store import Kind
from gitops_sim.errors import (
    ApiError,
    BadRequestError,
    ConflictError,
    ForbiddenError,
    InternalError,
    InvalidError,
    NotFoundError,
    TooManyRequestsError,
)
from gitops_sim.types import Manifest

__all__ = ["Webhooks"]

_GROUP = "admissionregistration.k8s.io"
_MUTATING = Kind(_GROUP, "MutatingWebhookConfiguration")
_VALIDATING = Kind(_GROUP, "ValidatingWebhookConfiguration")
_SERVICES = Kind("", "Service")
_VARIABLES = ("object", "oldObject", "request")
_ERRORS: dict[int, type[ApiError]] = {
    400: BadRequestError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    422: InvalidError,
    429: TooManyRequestsError,
    500: InternalError,
}


class _CallError(Exception):
    """A webhook could not be asked, or answered nonsense."""


class Webhooks:
    """The admission hooks of one server that ask functions."""

    def __init__(self, server: ApiServer) -> None:
        self._server = server

    def mutate(self, write: Write, manifest: Manifest) -> None:
        """Admission: let mutating webhooks change the object, in place.

        Raises:
            ApiError: One denies the request, or cannot be asked and must be.
        """
        for webhook in self._concerned(_MUTATING, write, manifest):
            response = self._ask(webhook, AdmissionRequest(self._server, write, manifest))
            patch = None if response is None else response.get("patch")
            if not patch:
                continue
            changed = json_patch(fresh_copy(manifest), json.loads(base64.b64decode(patch)))
            changed = decode(self._server, write.resource_type, changed)
            manifest.clear()
            manifest.update(changed)
            fill_defaults(self._server, write.resource_type, manifest)

    def validate(self, write: Write, manifest: Manifest) -> None:
        """Admission: let validating webhooks refuse the object as it is to be stored.

        Raises:
            ApiError: One denies the request, or cannot be asked and must be.
        """
        for webhook in self._concerned(_VALIDATING, write, manifest):
            self._ask(webhook, AdmissionRequest(self._server, write, manifest))

    def _concerned(self, kind: Kind, write: Write, manifest: Manifest) -> Iterator[Manifest]:
        if write.resource_type.group == _GROUP:
            return
        for configuration in self._server.store.objects(kind):
            for webhook in configuration.get("webhooks") or ():
                request = AdmissionRequest(self._server, write, manifest)
                if not any(map(request.is_covered, webhook.get("rules") or ())):
                    continue
                if request.is_selected(webhook) and _meets_conditions(webhook, request):
                    yield webhook

    def _ask(self, webhook: Manifest, request: AdmissionRequest) -> Manifest | None:
        """Return the response of a webhook; None for one that may fail and does."""
        name = webhook["name"]
        try:
            response = self._call(webhook, request)
        except _CallError as error:
            if webhook.get("failurePolicy", "Fail") == "Ignore":
                return None
            raise InternalError(
                f'Internal error occurred: failed calling webhook "{name}": {error}',
                {"causes": [{"message": f'failed calling webhook "{name}": {error}'}]},
            ) from None
        for text in response.get("warnings") or ():
            self._server.caller.warn(str(text))
        if not response.get("allowed"):
            raise _denial(name, response.get("status") or {})
        return response

    def _call(self, webhook: Manifest, request: AdmissionRequest) -> Manifest:
        address, shown = self._address(webhook.get("clientConfig") or {})
        seconds = webhook.get("timeoutSeconds", 10)
        post = f'failed to call webhook: Post "{shown}?timeout={seconds}s"'
        function = self._server.webhook_functions.get(address.removesuffix("/"))
        if function is None:
            raise _CallError(f"{post}: {self._unreachable(webhook['clientConfig'])}")
        review = self._review(request)
        try:
            answered: Any = function(fresh_copy(review))
        except Exception as error:  # a learner's function may raise anything; its webhook failed
            raise _CallError(f"{post}: {type(error).__name__}: {error}") from error
        response = answered.get("response") if isinstance(answered, dict) else None
        if not isinstance(response, dict):
            raise _CallError("failed to call webhook: webhook response was absent")
        if response.get("uid") != review["request"]["uid"]:
            expected = review["request"]["uid"]
            raise _CallError(f'expected response.uid="{expected}", got "{response.get("uid", "")}"')
        return response

    def _review(self, request: AdmissionRequest) -> Manifest:
        told = request.attributes()
        return {
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "request": {
                "uid": self._server.clock.uid(f"reviews/{self._server.name}"),
                **told,
                "requestKind": told["kind"],
                "requestResource": told["resource"],
                "object": request.object,
                "oldObject": request.old_object,
            },
        }

    def _address(self, config: Manifest) -> tuple[str, str]:
        """Return the address under which a function is looked up, and as it is shown."""
        if config.get("url"):
            return config["url"], config["url"]
        service = config.get("service") or {}
        path = service.get("path") or ""
        name, namespace = service.get("name", ""), service.get("namespace", "")
        shown = f"https://{name}.{namespace}.svc:{service.get('port', 443)}{path}"
        return f"{name}.{namespace}{path}", shown

    def _unreachable(self, config: Manifest) -> str:
        service = config.get("service")
        if not service:
            host = config.get("url", "").removeprefix("https://").partition("/")[0]
            return f"dial tcp: lookup {host.partition(':')[0]}: no such host"
        found = self._server.store.get(
            _SERVICES, service.get("namespace", ""), service.get("name", "")
        )
        if found is None:
            return f'service "{service.get("name", "")}" not found'
        return f'no endpoints available for service "{service["name"]}"'


def _meets_conditions(webhook: Manifest, request: AdmissionRequest) -> bool:
    variables = {
        "object": request.object,
        "oldObject": request.old_object,
        "request": request.attributes(),
    }
    for condition in webhook.get("matchConditions") or ():
        try:
            program = compile_expression(condition["expression"], _VARIABLES)
            if program.evaluate(variables) is not True:
                return False
        except CelError:
            return str(webhook.get("failurePolicy", "Fail")) == "Fail"
    return True


def _denial(name: str, status: Manifest) -> ApiError:
    denied = f'admission webhook "{name}" denied the request'
    detail = status.get("message") or status.get("reason")
    text = f"{denied}: {detail}" if detail else f"{denied} without explanation"
    return _ERRORS.get(int(status.get("code") or 400), ForbiddenError)(text, status.get("details"))
