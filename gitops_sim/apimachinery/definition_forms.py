"""CustomResourceDefinitions in the form in which the server checks them.

What all versions have alike stands once for all of them there, under older names; messages show
this form, with Go's names and unset members.

Source: k8s.io/apiextensions-apiserver, pkg/apis/apiextensions (types.go, types_jsonschema.go,
v1/conversion.go).
"""

from __future__ import annotations

from typing import Any

__all__ = ["internal_schema", "internal_versions", "shared_parts"]

_Raw = dict[str, Any]
_PARTS = ("schema", "subresources", "additionalPrinterColumns", "selectableFields")
_SCHEMA = (
    *(("ID", "id", ""), ("Schema", "$schema", ""), ("Ref", "$ref", None)),
    *(("Description", "description", ""), ("Type", "type", ""), ("Nullable", "nullable", False)),
    *(("Format", "format", ""), ("Title", "title", ""), ("Default", "default", None)),
    *(("Maximum", "maximum", None), ("ExclusiveMaximum", "exclusiveMaximum", False)),
    *(("Minimum", "minimum", None), ("ExclusiveMinimum", "exclusiveMinimum", False)),
    *(("MaxLength", "maxLength", None), ("MinLength", "minLength", None)),
    *(("Pattern", "pattern", ""), ("MaxItems", "maxItems", None), ("MinItems", "minItems", None)),
    *(("UniqueItems", "uniqueItems", False), ("MultipleOf", "multipleOf", None)),
    *(("Enum", "enum", None), ("MaxProperties", "maxProperties", None)),
    *(("MinProperties", "minProperties", None), ("Required", "required", None)),
    *(("Items", "items", None), ("AllOf", "allOf", None), ("OneOf", "oneOf", None)),
    *(("AnyOf", "anyOf", None), ("Not", "not", None), ("Properties", "properties", None)),
    ("AdditionalProperties", "additionalProperties", None),
    ("PatternProperties", "patternProperties", None),
    *(("Dependencies", "dependencies", None), ("AdditionalItems", "additionalItems", None)),
    *(("Definitions", "definitions", None), ("ExternalDocs", "externalDocs", None)),
    ("Example", "example", None),
    ("XPreserveUnknownFields", "x-kubernetes-preserve-unknown-fields", None),
    ("XEmbeddedResource", "x-kubernetes-embedded-resource", False),
    ("XIntOrString", "x-kubernetes-int-or-string", False),
    ("XListMapKeys", "x-kubernetes-list-map-keys", None),
    ("XListType", "x-kubernetes-list-type", None),
    ("XMapType", "x-kubernetes-map-type", None),
    ("XValidations", "x-kubernetes-validations", None),
)
"""Of each member of a schema: Go's name, the name in JSON, and what stands for an unset one."""
_RULE = (
    *(("Rule", "rule", ""), ("Message", "message", "")),
    *(("MessageExpression", "messageExpression", ""), ("Reason", "reason", None)),
    *(("FieldPath", "fieldPath", ""), ("OptionalOldSelf", "optionalOldSelf", None)),
)
_COLUMN = (
    *(("Name", "name", ""), ("Type", "type", ""), ("Format", "format", "")),
    *(("Description", "description", ""), ("Priority", "priority", 0)),
    ("JSONPath", "jsonPath", ""),
)
_SCALE = (
    ("SpecReplicasPath", "specReplicasPath", ""),
    ("StatusReplicasPath", "statusReplicasPath", ""),
    ("LabelSelectorPath", "labelSelectorPath", None),
)


def shared_parts(versions: list[_Raw]) -> _Raw:
    """Return schema, subresources, columns and selectable fields that all versions have alike."""
    if not versions:
        return {}
    first = {part: versions[0].get(part) for part in _PARTS}
    return {
        part: value
        for part, value in first.items()
        if value not in (None, []) and all(version.get(part) == value for version in versions)
    }


def internal_versions(versions: list[_Raw] | None) -> list[_Raw] | None:
    """Return `spec.versions` in the internal form."""
    if versions is None:
        return None
    shared = shared_parts(versions)
    return [_version({k: v for k, v in each.items() if k not in shared}) for each in versions]


def internal_schema(schema: _Raw) -> _Raw:
    """Return an OpenAPI schema in the internal form."""
    shown = _named(schema, _SCHEMA)
    for name in ("AllOf", "OneOf", "AnyOf"):
        shown[name] = _each(shown[name])
    for name in ("Properties", "PatternProperties", "Definitions"):
        if shown[name]:
            shown[name] = {key: internal_schema(shown[name][key]) for key in sorted(shown[name])}
    if shown["Not"]:
        shown["Not"] = internal_schema(shown["Not"])
    items = shown["Items"]
    if isinstance(items, dict):
        shown["Items"] = {"Schema": internal_schema(items), "JSONSchemas": None}
    elif items is not None:
        shown["Items"] = {"Schema": None, "JSONSchemas": _each(items)}
    for name in ("AdditionalProperties", "AdditionalItems"):
        if isinstance(shown[name], dict):
            shown[name] = {"Allows": True, "Schema": internal_schema(shown[name])}
        elif shown[name] is not None:
            shown[name] = {"Allows": shown[name], "Schema": None}
    if shown["XValidations"]:
        shown["XValidations"] = [_named(rule, _RULE) for rule in shown["XValidations"]]
    return shown


def _each(schemas: list[_Raw] | None) -> list[_Raw] | None:
    return [internal_schema(schema) for schema in schemas] if schemas else None


def _named(value: _Raw, table: tuple[tuple[str, str, Any], ...]) -> _Raw:
    return {go: unset if value.get(name) is None else value[name] for go, name, unset in table}


def _version(version: _Raw) -> _Raw:
    schema = (version.get("schema") or {}).get("openAPIV3Schema")
    parts, columns = version.get("subresources"), version.get("additionalPrinterColumns")
    fields = version.get("selectableFields")
    scale = (parts or {}).get("scale")
    return {
        "Name": version.get("name", ""),
        "Served": version.get("served", False),
        "Storage": version.get("storage", False),
        "Deprecated": version.get("deprecated", False),
        "DeprecationWarning": version.get("deprecationWarning"),
        "Schema": None if schema is None else {"OpenAPIV3Schema": internal_schema(schema)},
        "Subresources": None
        if parts is None
        else {"Status": parts.get("status"), "Scale": scale and _named(scale, _SCALE)},
        "AdditionalPrinterColumns": columns and [_named(column, _COLUMN) for column in columns],
        "SelectableFields": fields and [{"JSONPath": f.get("jsonPath", "")} for f in fields],
    }
