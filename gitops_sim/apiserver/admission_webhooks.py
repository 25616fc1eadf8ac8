"""Admission webhooks: whom a write concerns, in which order they are asked, what they may change.

A write passes the mutating plugins of the server, then the mutating webhooks; if one of them
changed the object, the plugins look again, and so do the webhooks that asked for it. Validating
webhooks see the object as it is to be stored.

Source: k8s.io/apiserver, pkg/admission/plugin/webhook (generic, mutating, validating, predicates)
and pkg/admission/plugin/webhook/matchconditions.
Differs: managedFields are not theirs to change; `authorizer` is no variable of their conditions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from gitops_sim.apimachinery.cel import CelError, compile_expression
from gitops_sim.apimachinery.copying import fresh_copy
from gitops_sim.apimachinery.patches import json_patch
from gitops_sim.apimachinery.status_errors import forbidden
from gitops_sim.apiserver.matching import AdmissionRequest
from gitops_sim.apiserver.preparing import decode, fill_defaults
from gitops_sim.apiserver.server import ApiServer, Write
from gitops_sim.apiserver.store import Kind
from gitops_sim.apiserver.webhook_backends import WebhookCallError
from gitops_sim.apiserver.webhook_reviews import (
    Reviewed,
    ReviewError,
    denial,
    read_answer,
    review_of,
)
from gitops_sim.errors import ApiError, InternalError
from gitops_sim.types import Manifest

__all__ = ["admit", "judge_by_webhooks"]

_GROUP = "admissionregistration.k8s.io"
_MUTATING = Kind(_GROUP, "MutatingWebhookConfiguration")
_VALIDATING = Kind(_GROUP, "ValidatingWebhookConfiguration")
_VARIABLES = ("object", "oldObject", "request")
_ANNOTATION = "webhook.admission.k8s.io"
_ALPHABET = frozenset("bcdfghjklmnpqrstvwxz2456789")


@dataclass(frozen=True, slots=True)
class _Hook:
    """One webhook of a configuration; `index` is its place among those of its kind."""

    server: ApiServer
    configuration: str
    webhook: dict[str, Any]
    index: int

    @property
    def name(self) -> str:
        return str(self.webhook["name"])

    @property
    def key(self) -> tuple[str, str]:
        return self.configuration, self.name

    @property
    def fails_open(self) -> bool:
        return self.webhook.get("failurePolicy") == "Ignore"

    def matched(self, request: AdmissionRequest) -> AdmissionRequest | None:
        """Return the request in the version that this webhook wants to see; None: not its own.

        Raises:
            ForbiddenError: A condition cannot be evaluated.
        """
        if not request.is_selected(self.webhook):
            return None
        rules = self.webhook.get("rules") or ()
        versions = [request]
        if self.webhook.get("matchPolicy", "Equivalent") == "Equivalent":
            versions += _equivalents(request)
        for version in versions:
            if any(map(version.is_covered, rules)):
                return version if self._meets_conditions(version) else None
        return None

    def _meets_conditions(self, request: AdmissionRequest) -> bool:
        conditions = self.webhook.get("matchConditions") or ()
        if not conditions:
            return True
        variables = {
            "object": request.object,
            "oldObject": request.old_object,
            "request": request.attributes(),
        }
        errors = []
        for condition in conditions:
            expression = condition["expression"]
            try:
                if compile_expression(expression, _VARIABLES).evaluate(variables) is not True:
                    return False
            except CelError as error:
                errors.append(f"expression '{expression}' resulted in error: {error}")
        if not errors:
            return True
        if self.fails_open:
            return False
        text = errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]"
        name = request.manifest["metadata"].get("name", "")
        raise forbidden(request.write.resource_type, name, text)

    def ask(
        self, request: AdmissionRequest, original: AdmissionRequest, *, again: bool = False
    ) -> Reviewed | None:
        """Return what the webhook decided; None when it failed and may.

        Raises:
            WebhookDeniedError: It does not allow the request.
            InternalError: It failed and may not.
        """
        server, mutating = self.server, "reinvocationPolicy" in self.webhook
        uid = server.clock.uid(f"reviews/{server.name}")
        review = review_of(uid, request, original)
        try:
            reviewed = self._answered(review, mutating=mutating)
        except (WebhookCallError, ReviewError) as error:
            self._failed(error, "mutating" if mutating else "validating", again=again)
            return None
        for text in reviewed.warnings:
            server.caller.warn(text)
        for key, value in reviewed.annotations.items():
            server.caller.annotations[f"{self.name}/{key}"] = value
        if not reviewed.allowed:
            raise denial(self.name, reviewed.status)
        return reviewed

    def _answered(self, review: Manifest, *, mutating: bool) -> Reviewed:
        config, seconds = self.webhook["clientConfig"], self.webhook.get("timeoutSeconds", 10)
        answer = self.server.webhooks.call(config, review, seconds)
        reviewed = read_answer(answer, review["request"]["uid"], mutating=mutating)
        if reviewed.patch and reviewed.patch_type != "JSONPatch":
            raise ReviewError(f'unsupported patch type "{reviewed.patch_type}"')
        return reviewed

    def _failed(self, error: Exception, phase: str, *, again: bool) -> None:
        told = str(error)
        if isinstance(error, WebhookCallError):
            told = f"failed to call webhook: {told}"
        elif "unsupported patch type" not in told:
            told = f"received invalid webhook response: {told}"
        if self.fails_open:
            key = f"failed-open.{phase}.{_ANNOTATION}/{self.place(again=again)}"
            self.server.caller.annotations[key] = self.name
            return
        raise _internal(f'failed calling webhook "{self.name}": {told}')

    def place(self, *, again: bool) -> str:
        """Return where in its round it was asked, as audit annotations say it."""
        return f"round_{int(again)}_index_{self.index}"


def admit(server: ApiServer, write: Write, manifest: Manifest) -> None:
    """Let the server's plugins and the mutating webhooks change an object, in place.

    Raises:
        ApiError: One of them refuses it.
    """
    for plugin in server.admission:
        plugin(write, manifest)
    if not server.store.holds(_MUTATING):
        return
    hooks = list(_hooks(server, _MUTATING, write))
    if not hooks:
        return
    mutation = _Mutation(hooks, write, manifest)
    if mutation.run():
        for plugin in server.admission:
            plugin(write, manifest)
        mutation.run_again()


def judge_by_webhooks(server: ApiServer, write: Write, manifest: Manifest) -> None:
    """Admission: let validating webhooks refuse the object as it is to be stored.

    All that it concerns are asked, as they are asked at once; the first refusal counts.

    Raises:
        ApiError: One denies it, or fails and may not.
    """
    if not server.store.holds(_VALIDATING):
        return
    original = AdmissionRequest(server, write, manifest)
    refusals: list[ApiError] = []
    concerned = [(hook, hook.matched(original)) for hook in _hooks(server, _VALIDATING, write)]
    for hook, request in concerned:
        if request is None:
            continue
        try:
            hook.ask(request, original)
        except ApiError as error:
            refusals.append(error)
    if refusals:
        raise refusals[0]


def _hooks(server: ApiServer, kind: Kind, write: Write) -> Iterator[_Hook]:
    """Yield the webhooks of all configurations, by their names; none judges configurations."""
    if write.resource_type.group == _GROUP:
        return
    index = 0
    for configuration in server.store.objects(kind):
        name = configuration["metadata"]["name"]
        for webhook in configuration.get("webhooks") or ():
            yield _Hook(server, name, webhook, index)
            index += 1


class _Mutation:
    """The mutating webhooks of one write: the first round, and the second."""

    def __init__(self, hooks: list[_Hook], write: Write, manifest: Manifest) -> None:
        self._hooks = hooks
        self._write = write
        self._manifest = manifest
        self._repeatable: list[tuple[str, str]] = []
        self._due: set[tuple[str, str]] = set()
        self._last: Manifest = {}

    def run(self) -> bool:
        """Ask each webhook once; True if one changed the object."""
        changed = False
        for hook in self._hooks:
            if self._ask(hook, again=False):
                changed = True
                self._due.update(self._repeatable)
            if hook.webhook.get("reinvocationPolicy") == "IfNeeded" and self._asked:
                self._repeatable.append(hook.key)
        self._last = fresh_copy(self._manifest)
        return changed

    def run_again(self) -> None:
        """Ask those again that want it and after which something changed."""
        if self._manifest != self._last:
            self._due.update(self._repeatable)
        for hook in self._hooks:
            if hook.key in self._due and self._ask(hook, again=True):
                self._due.update(self._repeatable)

    def _ask(self, hook: _Hook, *, again: bool) -> bool:
        original = AdmissionRequest(hook.server, self._write, self._as_sent())
        request = hook.matched(original)
        self._asked = request is not None
        if request is None:
            return False
        reviewed = hook.ask(request, original, again=again)
        if reviewed is None or not reviewed.patch:
            self._tell(hook, again=again, mutated=False)
            return False
        if request.object is None:
            raise _internal(
                f'admission webhook "{hook.name}" attempted to modify the object, which is not '
                "supported for this operation"
            )
        changed = self._change(hook.server, request.manifest, reviewed.patch)
        self._tell(hook, again=again, mutated=changed)
        return changed

    def _tell(self, hook: _Hook, *, again: bool, mutated: bool) -> None:
        told = {"configuration": hook.configuration, "webhook": hook.name, "mutated": mutated}
        key = f"mutation.{_ANNOTATION}/{hook.place(again=again)}"
        hook.server.caller.annotations[key] = json.dumps(told, separators=(",", ":"))

    def _as_sent(self) -> Manifest:
        """Return the object as webhooks see it: a new one has no identity yet."""
        if self._write.before is not None:
            return self._manifest
        metadata = dict(self._manifest["metadata"])
        for member in ("uid", "creationTimestamp"):
            metadata.pop(member, None)
        name, prefix = str(metadata.get("name", "")), metadata.get("generateName")
        if prefix and name.startswith(prefix[: max(len(name) - 5, 0)]) and _is_suffix(name[-5:]):
            metadata.pop("name", None)
        return self._manifest | {"metadata": metadata}

    def _change(self, server: ApiServer, sent: Manifest, patch: Any) -> bool:
        """Apply a patch to the object, in place; True if it changed it."""
        resource_type = self._write.resource_type
        try:
            patched = json_patch(sent, fresh_copy(patch))
            patched = server.in_version(resource_type, fresh_copy(patched))
            patched = decode(server, resource_type, patched)
        except ApiError as error:
            raise _internal(error.message) from None
        own = self._manifest["metadata"]
        kept = ("uid", "creationTimestamp", "managedFields", "resourceVersion", "name")
        patched["metadata"] = patched["metadata"] | {n: own[n] for n in kept if n in own}
        fill_defaults(server, resource_type, patched)
        if patched == self._manifest:
            return False
        self._manifest.clear()
        self._manifest.update(patched)
        return True


def _is_suffix(text: str) -> bool:
    return len(text) == 5 and _ALPHABET.issuperset(text)


def _equivalents(request: AdmissionRequest) -> Iterator[AdmissionRequest]:
    """Yield the request as it would be in the other versions of its kind."""
    server, write = request.server, request.write
    resource_type = write.resource_type
    for other in server.kinds.versions(resource_type.group, resource_type.kind):
        if other == resource_type:
            continue
        before = None if write.before is None else server.in_version(other, write.before)
        as_other = replace(write, resource_type=other, before=before)
        yield AdmissionRequest(server, as_other, server.in_version(other, request.manifest))


def _internal(text: str) -> InternalError:
    return InternalError(f"Internal error occurred: {text}", {"causes": [{"message": text}]})
