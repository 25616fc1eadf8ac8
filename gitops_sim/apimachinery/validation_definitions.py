"""Rules of CustomResourceDefinitions.

Source: k8s.io/apiextensions-apiserver, pkg/apis/apiextensions/validation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from gitops_sim.apimachinery import causes, names
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.definition_forms import internal_versions, shared_parts
from gitops_sim.apimachinery.validation_paths import column_causes, scale_causes, selectable_causes
from gitops_sim.apimachinery.validation_schemas import schema_causes
from gitops_sim.apimachinery.validation_structural import has_defaults
from gitops_sim.types import Manifest

__all__ = ["definition_causes", "definition_update_causes", "new_definition_causes"]

_SCOPES = ("Cluster", "Namespaced")
_APPROVED = "api-approved.kubernetes.io"
_WARNING_LENGTH = 256
_INTERNAL = {
    "schema": "validation",
    "subresources": "subresources",
    "additionalPrinterColumns": "additionalPrinterColumns",
    "selectableFields": "selectableFields",
}
"""Where stands what all versions have alike."""


def definition_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a CustomResourceDefinition."""
    spec = manifest.get("spec") or {}
    yield from _group_causes(spec.get("group") or "")
    if not spec.get("scope"):
        yield causes.required("spec.scope")
    elif spec["scope"] not in _SCOPES:
        yield causes.not_supported("spec.scope", spec["scope"], _SCOPES)
    yield from _versions_causes(spec.get("versions"))
    yield from _name_causes(spec.get("names") or {})
    strategy = (spec.get("conversion") or {}).get("strategy")
    if strategy not in ("None", "Webhook"):
        yield causes.not_supported("spec.conversion.strategy", strategy, ("None", "Webhook"))
    else:
        yield from _webhook_causes(spec["conversion"])
    yield from _unpruned_causes(spec)


def _unpruned_causes(spec: dict[str, Any]) -> Iterator[Cause]:
    """Check what needs that unknown fields are pruned: defaults and webhooks."""
    found = spec.get("preserveUnknownFields")
    if not found:
        return
    schemas = [(v.get("schema") or {}).get("openAPIV3Schema") for v in spec.get("versions") or ()]
    if any(has_defaults(schema) for schema in schemas if schema):
        text = "must be false in order to use defaults in the schema"
        yield causes.invalid("spec.preserveUnknownFields", found, text)
    strategy = (spec.get("conversion") or {}).get("strategy")
    if strategy != "None":
        text = "must be None if spec.preserveUnknownFields is true"
        yield causes.invalid("spec.conversion.strategy", strategy, text)


def new_definition_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a new definition only."""
    spec, metadata = manifest.get("spec") or {}, manifest["metadata"]
    name, plural = metadata.get("name", ""), (spec.get("names") or {}).get("plural", "")
    if name and name != f"{plural}.{spec.get('group', '')}":
        text = 'must be spec.names.plural+"."+spec.group'
        yield causes.invalid("metadata.name", name, text)
    stored = (manifest.get("status") or {}).get("storedVersions") or None
    path = "status.storedVersions"
    if stored is None:
        yield causes.invalid(path, None, "must have at least one stored version")
    for version in spec.get("versions") or ():
        if stored and version.get("storage") and version["name"] not in stored:
            text = f"must have the storage version {version['name']}"
            yield causes.invalid(path, stored, text)
    yield from _approval_causes(manifest, None)
    yield from _preserving_causes(spec, {})


def _approval_causes(manifest: Manifest, before: Manifest | None) -> Iterator[Cause]:
    """Check that somebody approved a kind in a group of the community."""
    group = (manifest.get("spec") or {}).get("group") or ""
    if not f".{group}".endswith((".k8s.io", ".kubernetes.io")):
        return
    state = _approval(manifest)
    if before is not None and state == _approval(before):
        return
    path = f"metadata.annotations[{_APPROVED}]"
    see = "see https://github.com/kubernetes/enhancements/pull/1111"
    text = f'protected groups must have approval annotation "{_APPROVED}"'
    if state == "missing":
        yield causes.required(path, f"{text}, {see}")
    elif state == "invalid":
        found = manifest["metadata"]["annotations"][_APPROVED]
        text += ' with either a URL or a reason starting with "unapproved"'
        yield causes.invalid(path, found, f"{text}, {see}")


def _approval(manifest: Manifest) -> str:
    found = (manifest["metadata"].get("annotations") or {}).get(_APPROVED) or ""
    if not found:
        return "missing"
    if found.startswith("unapproved"):
        return "bypassed"
    try:
        parts = urlsplit(found)
    except ValueError:
        return "invalid"
    return "approved" if parts.scheme and parts.netloc else "invalid"


def _preserving_causes(spec: dict[str, Any], before: dict[str, Any]) -> Iterator[Cause]:
    found = spec.get("preserveUnknownFields")
    if found and not before.get("preserveUnknownFields"):
        text = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
        where = "spec.preserveUnknownFields"
        yield causes.invalid(where, found, f"{text}spec.versions[*].schema instead")


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


def definition_update_causes(manifest: Manifest, before: Manifest) -> Iterator[Cause]:
    """Yield what an update may not change once the names are accepted, and stored versions."""
    new, old = manifest.get("spec") or {}, before.get("spec") or {}
    yield from _approval_causes(manifest, before)
    yield from _preserving_causes(new, old)
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


def _versions_causes(versions: list[dict[str, Any]] | None) -> Iterator[Cause]:
    listed = versions or []
    shared = shared_parts(listed)
    has_schemas = (shared.get("schema") or {}).get("openAPIV3Schema") is not None
    for place, version in enumerate(listed):
        own = {part: value for part, value in version.items() if part not in shared}
        if not has_schemas and not (version.get("schema") or {}).get("openAPIV3Schema"):
            yield causes.required(f"spec.versions[{place}].schema.openAPIV3Schema")
        yield from _version_causes(own, f"spec.versions[{place}]")
        own_status = "status" in (version.get("subresources") or {})
        yield from _part_causes(own, f"spec.versions[{place}]", {}, has_status=own_status)
    found = [version.get("name") for version in listed]
    if len(set(found)) < len(found):
        shown = internal_versions(versions)
        yield causes.invalid("spec.versions", shown, "must contain unique version names")
    if sum(bool(version.get("storage")) for version in listed) != 1:
        text = "must have exactly one version marked as storage version"
        yield causes.invalid("spec.versions", internal_versions(versions), text)
    problems = names.validate_service_name(found[0]) if found and found[0] else ()
    if problems:
        yield causes.invalid("spec.version", found[0], ",".join(problems))
    any_status = any("status" in (version.get("subresources") or {}) for version in listed)
    yield from _part_causes(shared, "spec", _INTERNAL, has_status=any_status)


def _version_causes(version: dict[str, Any], path: str) -> Iterator[Cause]:
    name = version.get("name", "")
    problems = names.validate_service_name(name)
    if problems:
        yield causes.invalid(f"{path}.name", name, ",".join(problems))
    warning = version.get("deprecationWarning")
    if warning is None:
        return
    where = f"{path}.deprecationWarning"
    if not version.get("deprecated"):
        yield causes.invalid(where, warning, "can only be set for deprecated versions")
        return
    if len(warning.encode()) > _WARNING_LENGTH:
        yield causes.invalid(where, warning, f"must be <= {_WARNING_LENGTH} characters long")
    if not warning:
        yield causes.invalid(where, warning, "must not be an empty string")
    index = next((i for i, char in enumerate(warning) if not char.isprintable()), None)
    if index is not None:
        text = "must only contain printable UTF-8 characters; non-printable character found at "
        yield causes.invalid(where, warning, f"{text}index {len(warning[:index].encode())}")


def _part_causes(
    parts: dict[str, Any], path: str, renamed: dict[str, str], *, has_status: bool
) -> Iterator[Cause]:
    """Check what a version says of its objects, or all versions alike."""
    where = {part: f"{path}.{renamed.get(part, part)}" for part in _INTERNAL}
    schema = (parts.get("schema") or {}).get("openAPIV3Schema")
    if schema is not None:
        place = f"{where['schema']}.openAPIV3Schema"
        yield from schema_causes(schema, place, has_status=has_status)
    yield from scale_causes(parts.get("subresources") or {}, where["subresources"])
    columns = parts.get("additionalPrinterColumns") or []
    yield from column_causes(columns, where["additionalPrinterColumns"])
    fields = parts.get("selectableFields") or []
    yield from selectable_causes(fields, schema, where["selectableFields"])


def _name_causes(named_by: dict[str, Any]) -> Iterator[Cause]:
    members = ("plural", "singular", "kind", "listKind")
    for member in members:
        if not named_by.get(member):
            yield causes.required(f"spec.names.{member}")
    for member in members:
        name = named_by.get(member) or ""
        if not name:
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
