"""Custom resources in another version: relabelled, or converted by the definition's webhook.

Source: k8s.io/apiextensions-apiserver, pkg/apiserver/conversion (webhook_converter.go).
Differs: who owns which field is kept by the names of the version that it was written in, also where
a conversion moves it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gitops_sim.apimachinery.kinds import ResourceType
from gitops_sim.apiserver.conversion import storage_kind
from gitops_sim.apiserver.store import Kind
from gitops_sim.apiserver.webhook_backends import WebhookBackends, WebhookCallError
from gitops_sim.errors import UnknownError
from gitops_sim.types import Manifest

__all__ = ["CustomConversion"]

_API = "apiextensions.k8s.io/v1"
_SECONDS = 30


class CustomConversion:
    """The kinds whose versions differ in more than their name, and who converts them.

    Args:
        webhooks: Who can be asked.
        new_uid: Gives the uid of a review.
    """

    def __init__(self, webhooks: WebhookBackends, new_uid: Callable[[], str]) -> None:
        self._webhooks = webhooks
        self._new_uid = new_uid

    def follow(self, kind: Kind, definition: Manifest | None) -> None:
        """Learn, or forget, who converts a kind."""
        spec = {} if definition is None else definition["spec"]
        conversion = spec.get("conversion") or {}
        self._webhooks.converters.pop(kind, None)
        if conversion.get("strategy") == "Webhook":
            stored = next(v["name"] for v in spec["versions"] if v.get("storage"))
            told = conversion["webhook"] | {"stored": f"{spec['group']}/{stored}"}
            self._webhooks.converters[kind] = told

    def stored_version(self, resource_type: ResourceType) -> str:
        """Return the apiVersion in which a kind is stored; empty where a webhook converts none."""
        if not self._webhooks.converters:
            return ""
        converter = self._webhooks.converters.get(storage_kind(resource_type))
        return "" if converter is None else str(converter["stored"])

    def convert(
        self, resource_type: ResourceType, manifests: Sequence[Manifest], api_version: str
    ) -> list[Manifest]:
        """Return objects in a version; those that are in it already are not asked about.

        Raises:
            UnknownError: The webhook fails, or answers something else.
        """
        others = [m for m in manifests if m["apiVersion"] != api_version]
        if not others:
            return list(manifests)
        subject = _gvk(others[0]["apiVersion"], resource_type.kind)
        found = self._ask(storage_kind(resource_type), others, api_version, subject)
        if len(found) != len(others):
            raise UnknownError(
                f"conversion webhook for {subject} returned {len(found)} objects, expected "
                f"{len(others)}"
            )
        wanted = _gvk(api_version, "").partition(", ")[0]
        for index, (old, new) in enumerate(zip(others, found, strict=True)):
            problem = _problem(old, new, wanted)
            if problem:
                raise UnknownError(
                    f"conversion webhook for {subject} returned invalid converted object at index "
                    f"{index}: {problem}"
                )
        converted = iter([_with_metadata(o, n) for o, n in zip(others, found, strict=True)])
        return [m if m["apiVersion"] == api_version else next(converted) for m in manifests]

    def _ask(
        self, kind: Kind, objects: list[Manifest], api_version: str, subject: str
    ) -> list[Any]:
        uid = self._new_uid()
        review = {
            "kind": "ConversionReview",
            "apiVersion": _API,
            "request": {"uid": uid, "desiredAPIVersion": api_version, "objects": objects},
        }
        config = self._webhooks.converters[kind]["clientConfig"]
        try:
            return _converted(self._webhooks.call(config, review, _SECONDS), uid)
        except (WebhookCallError, ValueError) as error:
            raise UnknownError(f"conversion webhook for {subject} failed: {error}") from None


def _converted(answer: Any, uid: str) -> list[Any]:
    """Return the objects of a ConversionReview.

    Raises:
        ValueError: It has none, or is about something else.
    """
    if not isinstance(answer, dict):
        answer = {}
    found = _gvk(answer.get("apiVersion"), answer.get("kind"))
    if found != _gvk(_API, "ConversionReview"):
        expected = _gvk(_API, "ConversionReview")
        raise ValueError(f"expected webhook response of {expected}, got {found}")
    response = answer.get("response") or {}
    if not response:
        raise ValueError("no response provided")
    if response.get("uid") != uid:
        raise ValueError(f'expected response.uid "{uid}", got "{response.get("uid") or ""}"')
    result = response.get("result") or {}
    if result.get("status") != "Success":
        status = result.get("status") or ""
        raise ValueError(
            result.get("message") or f"response.result.status was '{status}', not 'Success'"
        )
    return list(response.get("convertedObjects") or ())


def _gvk(api_version: Any, kind: Any) -> str:
    """Return version and kind as Go prints a GroupVersionKind."""
    text = str(api_version or "")
    return f"{text if '/' in text else '/' + text}, Kind={kind or ''}"


def _problem(old: Manifest, new: Any, wanted: str) -> str:
    if not isinstance(new, dict):
        return "expected an object"
    received = _gvk(new.get("apiVersion"), "").partition(", ")[0]
    if received != wanted:
        return f"invalid groupVersion (expected {wanted}, received {received})"
    if new.get("kind") != old["kind"]:
        return f"invalid kind (expected {old['kind']}, received {new.get('kind') or ''})"
    metadata = new.get("metadata")
    if not isinstance(metadata, dict):
        return "missing metadata"
    for member in ("name", "namespace", "uid"):
        before, after = old["metadata"].get(member, ""), metadata.get(member, "")
        if before != after:
            word = "UID" if member == "uid" else member
            return f"must have the same {word}: {before} != {after}"
    return ""


def _with_metadata(old: Manifest, new: Manifest) -> Manifest:
    """Return a converted object with its own metadata: only labels and annotations may change."""
    kept = {k: v for k, v in old["metadata"].items() if k not in ("labels", "annotations")}
    told = {k: new["metadata"][k] for k in ("labels", "annotations") if new["metadata"].get(k)}
    return new | {"metadata": kept | told}
