"""OpenAPI schemas of custom kinds: what their definitions declare, and what every kind has.

Source: k8s.io/apiextensions-apiserver, pkg/controller/openapi/builder.
"""

from __future__ import annotations

from typing import Any

from gitops_sim.apimachinery import builtin_data
from gitops_sim.apimachinery.kinds import ResourceType
from gitops_sim.apiserver.openapi_components import META, REFERENCE

__all__ = ["custom_schemas"]

_CONVENTIONS = "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md"
_GVK = "x-kubernetes-group-version-kind"


def custom_schemas(
    resource_type: ResourceType, declared: dict[str, Any], name: str
) -> dict[str, Any]:
    """Return the schemas of a custom kind and of its list.

    Args:
        resource_type: The kind in one version.
        declared: `schema` of that version in the definition.
        name: What its component is called, such as `com.example.v1.Widget`.
    """
    kind, texts = resource_type.kind, builtin_data.descriptions()
    gvk = {"group": resource_type.group, "kind": kind, "version": resource_type.version}
    of_status = texts[f"{META}Status"]
    of_type = {
        member: {"description": of_status[member], "type": "string"}
        for member in ("apiVersion", "kind")
    }
    schema = dict(declared.get("openAPIV3Schema") or {})
    schema["type"], schema[_GVK] = "object", [gvk]
    schema["properties"] = {
        **(schema.get("properties") or {}),
        **of_type,
        "metadata": {
            "description": texts["io.k8s.api.core.v1.ConfigMap"]["metadata"],
            "allOf": [{"$ref": f"{REFERENCE}{META}ObjectMeta"}],
        },
    }
    listed = {
        "description": f"{kind}List is a list of {kind}",
        "type": "object",
        "required": ["items"],
        "properties": {
            **of_type,
            "items": {
                "description": f"List of {resource_type.plural}. More info: {_CONVENTIONS}",
                "type": "array",
                "items": {"$ref": REFERENCE + name},
            },
            "metadata": {
                "description": of_status["metadata"],
                "allOf": [{"$ref": f"{REFERENCE}{META}ListMeta"}],
            },
        },
        _GVK: [gvk | {"kind": f"{kind}List"}],
    }
    return {name: schema, f"{name}List": listed}
