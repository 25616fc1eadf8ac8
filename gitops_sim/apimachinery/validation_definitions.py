"""Rules of CustomResourceDefinitions.

Source: k8s.io/apiextensions-apiserver, pkg/apis/apiextensions/validation.
Differs: that a schema is structural is checked only as far as every property has a type.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops_sim.apimachinery import causes, names
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.custom_rules import rule_problems
from gitops_sim.types import Manifest

__all__ = ["definition_causes", "definition_update_causes"]

_SCOPES = ("Cluster", "Namespaced")


def definition_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a CustomResourceDefinition."""
    spec = manifest.get("spec") or {}
    named_by = spec.get("names") or {}
    name = manifest["metadata"].get("name", "")
    if name and name != f"{named_by.get('plural', '')}.{spec.get('group', '')}":
        text = 'must be spec.names.plural+"."+spec.group'
        yield causes.invalid("metadata.name", name, text)
    yield from _group_causes(spec.get("group") or "")
    if not spec.get("scope"):
        yield causes.required("spec.scope")
    elif spec["scope"] not in _SCOPES:
        yield causes.not_supported("spec.scope", spec["scope"], _SCOPES)
    yield from _versions_causes(spec.get("versions") or [])
    yield from _rules_causes(spec.get("versions") or [])
    yield from _name_causes(named_by)
    strategy = (spec.get("conversion") or {}).get("strategy")
    if strategy not in ("None", "Webhook"):
        yield causes.not_supported("spec.conversion.strategy", strategy, ("None", "Webhook"))
    else:
        yield from _webhook_causes(spec["conversion"])
    if spec.get("preserveUnknownFields"):
        text = "must be false in order to use defaults in the schema"
        shown = spec["preserveUnknownFields"]
        yield causes.invalid("spec.preserveUnknownFields", shown, text)


def _webhook_causes(conversion: dict[str, Any]) -> Iterator[Cause]:
    """Yield what is wrong with the webhook of a conversion; the paths are of the internal type."""
    path = "spec.conversion"
    webhook = conversion.get("webhook") or {}
    config = webhook.get("clientConfig")
    versions = webhook.get("conversionReviewVersions") or []
    if conversion["strategy"] == "None":
        unwanted = "should not be set when strategy is not set to Webhook"
        if config is not None:
            yield causes.forbidden(f"{path}.webhookClientConfig", unwanted)
        if versions:
            yield causes.forbidden(f"{path}.conversionReviewVersions", unwanted)
        return
    if config is None:
        text = "required when strategy is set to Webhook"
        yield causes.required(f"{path}.webhookClientConfig", text)
    elif (config.get("url") is None) == (config.get("service") is None):
        text = "exactly one of url or service is required"
        yield causes.required(f"{path}.webhookClientConfig", text)
    if not versions:
        yield causes.required(f"{path}.conversionReviewVersions")
    elif not {"v1", "v1beta1"} & set(versions):
        text = "must include at least one of v1, v1beta1"
        yield causes.invalid(f"{path}.conversionReviewVersions", versions, text)


def _rules_causes(versions: list[Any]) -> Iterator[Cause]:
    """Yield the rules that do not compile; one schema for all versions is told only once."""
    schemas = [(v.get("schema") or {}).get("openAPIV3Schema") for v in versions]
    if schemas and all(schema == schemas[0] for schema in schemas):
        yield from rule_problems(schemas[0], "spec.validation.openAPIV3Schema")
        return
    for place, schema in enumerate(schemas):
        yield from rule_problems(schema, f"spec.versions[{place}].schema.openAPIV3Schema")


def definition_update_causes(manifest: Manifest, before: Manifest) -> Iterator[Cause]:
    """Yield what an update may not change once the names are accepted, and stored versions."""
    new, old = manifest.get("spec") or {}, before.get("spec") or {}
    for member in ("group", "scope"):
        if new.get(member) != old.get(member):
            yield causes.invalid(f"spec.{member}", new.get(member), "field is immutable")
    for member in ("plural", "kind"):
        now, was = ((s.get("names") or {}).get(member) for s in (new, old))
        if now != was:
            yield causes.invalid(f"spec.names.{member}", now, "field is immutable")
    served = {version.get("name") for version in new.get("versions") or ()}
    stored = (manifest.get("status") or {}).get("storedVersions") or []
    for index, version in enumerate(stored):
        if version not in served:
            text = f"missing from spec.versions; {version} was previously a storage version, and "
            rest = "must remain in spec.versions until a storage migration ensures no data remains "
            yield causes.invalid(
                f"status.storedVersions[{index}]",
                version,
                f"{text}{rest}persisted in {version} and removes {version} from "
                "status.storedVersions",
            )


def _group_causes(group: str) -> Iterator[Cause]:
    if not group:
        yield causes.required("spec.group")
        return
    problems = names.validate_subdomain(group)
    if problems:
        yield causes.invalid("spec.group", group, ",".join(problems))
    elif "." not in group:
        yield causes.invalid("spec.group", group, "should be a domain with at least one dot")


def _versions_causes(versions: list[dict[str, Any]]) -> Iterator[Cause]:
    seen: set[str] = set()
    unique = True
    for index, version in enumerate(versions):
        path, name = f"spec.versions[{index}]", version.get("name", "")
        unique = unique and name not in seen
        seen.add(name)
        problems = names.validate_service_name(name)
        if problems:
            yield causes.invalid(f"{path}.name", name, ",".join(problems))
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        if schema is None:
            yield causes.required(f"{path}.schema.openAPIV3Schema")
        else:
            yield from _schema_causes(schema, f"{path}.schema.openAPIV3Schema", top=True)
    if not unique:
        yield causes.invalid("spec.versions", versions, "must contain unique version names")
    if sum(bool(version.get("storage")) for version in versions) != 1:
        text = "must have exactly one version marked as storage version"
        yield causes.invalid("spec.versions", versions, text)


def _schema_causes(schema: dict[str, Any], path: str, *, top: bool = False) -> Iterator[Cause]:
    kind = schema.get("type")
    untyped = schema.get("x-kubernetes-int-or-string") or schema.get(
        "x-kubernetes-preserve-unknown-fields"
    )
    if top and kind is not None and kind != "object":
        yield causes.invalid(f"{path}.type", kind, "must be object at the root")
    elif not kind and (top or not untyped):
        text = "must not be empty at the root" if top else "must not be empty for specified "
        where = "" if top else ("object fields" if path.endswith("]") else "array items")
        yield causes.required(f"{path}.type", f"{text}{where}")
    for name, member in (schema.get("properties") or {}).items():
        yield from _schema_causes(member, f"{path}.properties[{name}]")
    if isinstance(schema.get("items"), dict):
        yield from _schema_causes(schema["items"], f"{path}.items")
    elif kind == "array" and schema.get("items") is None:
        yield causes.required(f"{path}.items", "must be specified")
    additional = schema.get("additionalProperties")
    if isinstance(additional, dict):
        yield from _schema_causes(additional, f"{path}.additionalProperties")


def _name_causes(named_by: dict[str, Any]) -> Iterator[Cause]:
    for member in ("plural", "singular", "kind", "listKind"):
        name = named_by.get(member) or ""
        if not name:
            yield causes.required(f"spec.names.{member}")
            continue
        mixed = member in ("kind", "listKind")
        problems = names.validate_service_name(name.lower() if mixed else name)
        if problems:
            before = "may have mixed case, but should otherwise match: " if mixed else ""
            yield causes.invalid(f"spec.names.{member}", name, before + ",".join(problems))
    if named_by.get("kind") and named_by["kind"] == named_by.get("listKind"):
        text = "kind and listKind may not be the same"
        yield causes.invalid("spec.names.listKind", named_by["listKind"], text)
    for member in ("shortNames", "categories"):
        for index, name in enumerate(named_by.get(member) or ()):
            problems = names.validate_service_name(name)
            if problems:
                path = f"spec.names.{member}[{index}]"
                yield causes.invalid(path, name, ",".join(problems))
