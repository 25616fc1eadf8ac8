"""Rules of webhook configurations, and of the rules and conditions that policies share with them.

Source: k8s.io/kubernetes, pkg/apis/admissionregistration/validation; k8s.io/apiserver,
pkg/util/webhook/validation.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from gitops_sim.apimachinery import causes, names
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.validation_expressions import expression_causes
from gitops_sim.apimachinery.validation_parts import label_selector, named, supported
from gitops_sim.types import Manifest

__all__ = ["condition_causes", "rule_causes", "webhook_configuration_causes"]

_FORM = "; desired format: https://host[/path]"
_OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
_RULES = {
    "operations": "operations",
    "apiGroups": "API groups",
    "apiVersions": "API versions",
    "resources": "resources",
}


def webhook_configuration_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a Mutating- or ValidatingWebhookConfiguration."""
    seen: set[str] = set()
    for index, webhook in enumerate(manifest.get("webhooks") or ()):
        path, name = f"webhooks[{index}]", webhook.get("name", "")
        yield from _webhook_causes(webhook, path)
        if name in seen:
            yield causes.duplicate(f"{path}.name", name)
        seen.add(name)


def _webhook_causes(webhook: dict[str, Any], path: str) -> Iterator[Cause]:
    name = webhook.get("name", "")
    if not name:
        yield causes.required(f"{path}.name")
    else:
        yield from named(name, f"{path}.name", names.validate_subdomain)
        if len(name.split(".")) < 3:
            text = "should be a domain with at least three segments separated by dots"
            yield causes.invalid(f"{path}.name", name, text)
    versions = webhook.get("admissionReviewVersions") or []
    if not versions:
        text = "must specify one of v1, v1beta1"
        yield causes.required(f"{path}.admissionReviewVersions", text)
    elif not {"v1", "v1beta1"} & set(versions):
        text = "must include at least one of v1, v1beta1"
        yield causes.invalid(f"{path}.admissionReviewVersions", versions, text)
    for index, version in enumerate(versions):
        if version in versions[:index]:
            place = f"{path}.admissionReviewVersions[{index}]"
            yield causes.invalid(place, version, "duplicate version")
    effects = webhook.get("sideEffects")
    if effects is None:
        yield causes.required(f"{path}.sideEffects", "must specify one of None, NoneOnDryRun")
    else:
        yield from supported(effects, f"{path}.sideEffects", ("None", "NoneOnDryRun"))
    yield from supported(webhook.get("failurePolicy"), f"{path}.failurePolicy", ("Fail", "Ignore"))
    words = ("Equivalent", "Exact")
    yield from supported(webhook.get("matchPolicy"), f"{path}.matchPolicy", words)
    seconds = webhook.get("timeoutSeconds", 10)
    if not 1 <= seconds <= 30:
        text = "the timeout value must be between 1 and 30 seconds"
        yield causes.invalid(f"{path}.timeoutSeconds", seconds, text)
    for index, rule in enumerate(webhook.get("rules") or ()):
        yield from rule_causes(rule, f"{path}.rules[{index}]")
    for index, condition in enumerate(webhook.get("matchConditions") or ()):
        yield from condition_causes(condition, f"{path}.matchConditions[{index}]")
    for member in ("namespaceSelector", "objectSelector"):
        yield from label_selector(webhook.get(member), f"{path}.{member}")
    yield from _client_causes(webhook.get("clientConfig") or {}, f"{path}.clientConfig")


def _client_causes(client: dict[str, Any], path: str) -> Iterator[Cause]:
    url, service = client.get("url"), client.get("service")
    if (url is None) == (service is None):
        yield causes.required(path, "exactly one of url or service is required")
    elif url is not None:
        yield from _url_causes(url, f"{path}.url")
    else:
        yield from _service_causes(service or {}, f"{path}.service")


def _url_causes(url: str, path: str) -> Iterator[Cause]:
    parts = urlsplit(url)
    if parts.scheme != "https":
        text = f"'https' is the only allowed URL scheme{_FORM}"
        yield causes.invalid(path, parts.scheme, text)
    if not parts.hostname:
        yield causes.invalid(path, parts.netloc, f"host must be specified{_FORM}")
    for what, found in (
        ("user information is", "@" in parts.netloc),
        ("fragments are", parts.fragment),
        ("query parameters are", parts.query),
    ):
        if found:
            shown = parts.username or parts.fragment or parts.query
            yield causes.invalid(path, shown, f"{what} not permitted in the URL")


def _service_causes(service: dict[str, Any], path: str) -> Iterator[Cause]:
    for member in ("name", "namespace"):
        if not service.get(member):
            yield causes.required(f"{path}.{member}", f"service {member} is required")
    port, route = service.get("port", 443), service.get("path")
    if not 1 <= port <= 65535:
        text = "port is not valid: must be between 1 and 65535, inclusive"
        yield causes.invalid(f"{path}.port", port, text)
    if route is not None and not route.startswith("/"):
        text = "must start with a '/'"
        yield causes.invalid(f"{path}.path", route, text)


def rule_causes(rule: dict[str, Any], path: str) -> Iterator[Cause]:
    """Yield what is wrong with a rule that says which requests a webhook or policy is about."""
    for member, words in _RULES.items():
        given, place = rule.get(member) or [], f"{path}.{member}"
        if not given:
            yield causes.required(place)
        if "*" in given and len(given) > 1 and member != "resources":
            text = f"if '*' is present, must not specify other {words}"
            yield causes.invalid(place, given, text)
        for index, word in enumerate(given):
            if member == "operations":
                yield from supported(word, f"{place}[{index}]", _OPERATIONS)
            elif not word and member != "apiGroups":
                yield causes.required(f"{place}[{index}]")
    yield from _resources_causes(rule.get("resources") or [], f"{path}.resources")
    if rule.get("scope") is not None:
        yield from supported(rule["scope"], f"{path}.scope", ("*", "Cluster", "Namespaced"))


def _resources_causes(resources: list[str], path: str) -> Iterator[Cause]:
    if "*/*" in resources and len(resources) > 1:
        text = "if '*/*' is present, must not specify other resources"
        yield causes.invalid(path, resources, text)
    elif "*" in resources and any("/" not in name for name in resources if name != "*"):
        text = "if '*' is present, must not specify other resources without subresources"
        yield causes.invalid(path, resources, text)


def condition_causes(condition: dict[str, Any], path: str) -> Iterator[Cause]:
    """Yield what is wrong with a condition on which a webhook or policy is asked at all."""
    yield from expression_causes(condition, f"{path}.expression", required="", result="bool")
    if not condition.get("name"):
        yield causes.required(f"{path}.name")
    else:
        yield from named(condition["name"], f"{path}.name", names.validate_label_key)
