"""ValidatingAdmissionPolicies: rules in CEL that judge requests, by their bindings.

Source: k8s.io/apiserver, pkg/admission/plugin/policy/validating.
Differs: a policy takes effect at once; `authorizer` is not a variable; audit annotations and the
type checks in a policy's status are not made; costs are not counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gitops_sim.apimachinery.cel import POLICY_VARIABLES, CelError, Program, compile_expression
from gitops_sim.apimachinery.labels import from_label_selector
from gitops_sim.apiserver.server import ApiServer, Write
from gitops_sim.apiserver.store import Kind
from gitops_sim.errors import (
    ApiError,
    ForbiddenError,
    InvalidError,
    TooLargeError,
    UnauthorizedError,
)
from gitops_sim.types import Manifest

__all__ = ["judge_by_policies"]

_GROUP = "admissionregistration.k8s.io"
_POLICIES = Kind(_GROUP, "ValidatingAdmissionPolicy")
_BINDINGS = Kind(_GROUP, "ValidatingAdmissionPolicyBinding")
_NAMESPACES = Kind("", "Namespace")
_OPERATIONS = {"create": "CREATE", "update": "UPDATE", "patch": "UPDATE", "delete": "DELETE"}
_ERRORS: dict[str, type[ApiError]] = {
    "Forbidden": ForbiddenError,
    "Unauthorized": UnauthorizedError,
    "RequestEntityTooLarge": TooLargeError,
}


@dataclass(frozen=True, slots=True)
class _Request:
    """What is judged: the write, and the object as it is to be."""

    server: ApiServer
    write: Write
    manifest: Manifest

    @property
    def operation(self) -> str:
        if self.write.verb == "apply":
            return "CREATE" if self.write.before is None else "UPDATE"
        return _OPERATIONS[self.write.verb]

    @property
    def namespace(self) -> Manifest | None:
        metadata, resource_type = self.manifest["metadata"], self.write.resource_type
        if resource_type.namespaced:
            return self.server.store.get(_NAMESPACES, "", metadata["namespace"])
        is_namespace = (resource_type.group, resource_type.kind) == _NAMESPACES
        return self.manifest if is_namespace else None

    def variables(self) -> dict[str, Any]:
        is_delete = self.operation == "DELETE"
        return {
            "object": None if is_delete else self.manifest,
            "oldObject": self.manifest if is_delete else self.write.before,
            "request": self._attributes(),
            "namespaceObject": self.namespace,
            "params": None,
            "variables": {},
        }

    def _attributes(self) -> dict[str, Any]:
        kind, metadata = self.write.resource_type, self.manifest["metadata"]
        return {
            "operation": self.operation,
            "name": metadata.get("name", ""),
            "namespace": metadata.get("namespace", ""),
            "kind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
            "resource": {"group": kind.group, "version": kind.version, "resource": kind.plural},
            "subResource": self.write.subresource,
            "dryRun": self.write.dry_run,
            "userInfo": self.server.caller.user.to_json(),
        }


def judge_by_policies(server: ApiServer, write: Write, manifest: Manifest) -> None:
    """Admission: refuse or warn of a request that a bound policy does not allow.

    Raises:
        ApiError: Of the reason that the policy names; Invalid where it names none.
    """
    bindings = server.store.objects(_BINDINGS)
    if not bindings or write.resource_type.group == _GROUP:
        return
    request = _Request(server, write, manifest)
    for binding in bindings:
        policy = server.store.get(_POLICIES, "", binding["spec"].get("policyName", ""))
        if policy is None or not _matches(policy["spec"].get("matchConstraints"), request):
            continue
        if not _matches(binding["spec"].get("matchResources"), request, is_binding=True):
            continue
        for reason, message in _denials(policy, binding, request):
            _act(binding, policy, request, reason, message)


def _act(binding: Manifest, policy: Manifest, request: _Request, reason: str, message: str) -> None:
    actions = binding["spec"].get("validationActions") or ["Deny"]
    names = f"'{policy['metadata']['name']}' with binding '{binding['metadata']['name']}'"
    if "Warn" in actions:
        request.server.caller.warn(
            f"Validation failed for ValidatingAdmissionPolicy {names}: {message}"
        )
    if "Deny" not in actions:
        return
    kind, name = request.write.resource_type, request.manifest["metadata"].get("name", "")
    told = f"ValidatingAdmissionPolicy {names} denied request: {message}"
    details = {"name": name, "group": kind.group, "kind": kind.plural}
    details = {key: value for key, value in details.items() if value}
    raise _ERRORS.get(reason, InvalidError)(
        f'{kind.resource} "{name}" is forbidden: {told}',
        details | {"causes": [{"message": told}]},
    )


def _denials(policy: Manifest, binding: Manifest, request: _Request) -> Iterator[tuple[str, str]]:
    """Yield reason and message of each validation that fails, for each set of parameters."""
    spec = policy["spec"]
    fails = spec.get("failurePolicy", "Fail") == "Fail"
    for params in _params(spec, binding, request):
        variables = request.variables() | {"params": params}
        try:
            _add_variables(spec, variables)
            conditions = spec.get("matchConditions") or ()
            if not all(_program(c["expression"]).evaluate(variables) for c in conditions):
                continue
        except CelError as error:
            if fails:
                yield "", f"failed to evaluate match conditions: {error}"
            continue
        for validation in spec.get("validations") or ():
            found = _failed(validation, variables, fails=fails)
            if found is not None:
                yield found


def _failed(
    validation: dict[str, Any], variables: dict[str, Any], *, fails: bool
) -> tuple[str, str] | None:
    expression = validation["expression"]
    try:
        if _program(expression).evaluate(variables) is True:
            return None
    except CelError as error:
        told = f"expression '{expression}' resulted in error: {error}"
        return ("", told) if fails else None
    return str(validation.get("reason") or ""), _message(validation, variables)


def _message(validation: dict[str, Any], variables: dict[str, Any]) -> str:
    expression = validation.get("messageExpression")
    if expression:
        try:
            found = _program(expression).evaluate(variables)
        except CelError:
            found = None
        if isinstance(found, str) and found.strip() and "\n" not in found:
            return found.strip()
    text = str(validation.get("message") or "").strip()
    return text or f"failed expression: {validation['expression'].strip()}"


def _add_variables(spec: Manifest, variables: dict[str, Any]) -> None:
    own: dict[str, Any] = {}
    for variable in spec.get("variables") or ():
        found = _program(variable["expression"]).evaluate(variables | {"variables": dict(own)})
        own[variable["name"]] = found
    variables["variables"] = own


def _program(expression: str) -> Program:
    return compile_expression(expression, POLICY_VARIABLES)


def _params(spec: Manifest, binding: Manifest, request: _Request) -> list[Manifest | None]:
    """Return the objects that a binding gives a policy as parameters."""
    kind, reference = spec.get("paramKind"), binding["spec"].get("paramRef")
    if not kind or not reference:
        return [None]
    group = kind["apiVersion"].rpartition("/")[0]
    table = Kind(group, kind["kind"])
    types = request.server.kinds.versions(group, kind["kind"])
    namespace = ""
    if types and types[0].namespaced:
        own = request.manifest["metadata"].get("namespace", "")
        namespace = reference.get("namespace") or own
    if reference.get("name"):
        one = request.server.store.get(table, namespace, reference["name"])
        found = [] if one is None else [one]
    else:
        selector = from_label_selector(reference.get("selector") or {})
        found = [
            manifest
            for manifest in request.server.store.objects(table, namespace or None)
            if selector.matches(manifest["metadata"].get("labels"))
        ]
    return list(found)


def _matches(wanted: Any, request: _Request, *, is_binding: bool = False) -> bool:
    """True when constraints include a request; a binding without rules adds none."""
    if not wanted:
        return is_binding
    rules = wanted.get("resourceRules") or ()
    if (rules or not is_binding) and not any(_rule_matches(rule, request) for rule in rules):
        return False
    if any(_rule_matches(rule, request) for rule in wanted.get("excludeResourceRules") or ()):
        return False
    labels = request.manifest["metadata"].get("labels")
    if not from_label_selector(wanted.get("objectSelector") or {}).matches(labels):
        return False
    namespace = request.namespace
    if namespace is None:
        return True
    selector = from_label_selector(wanted.get("namespaceSelector") or {})
    return selector.matches(namespace["metadata"].get("labels"))


def _rule_matches(rule: dict[str, Any], request: _Request) -> bool:
    kind = request.write.resource_type
    part = request.write.subresource
    plural = f"{kind.plural}/{part}" if part else kind.plural
    names = rule.get("resourceNames") or ()
    scope = rule.get("scope", "*")
    resources = rule.get("resources") or ()
    covered = {plural, "*/*", *(("*",) if not part else (f"*/{part}", f"{kind.plural}/*"))}
    return (
        _has(rule.get("operations"), request.operation)
        and _has(rule.get("apiGroups"), kind.group)
        and _has(rule.get("apiVersions"), kind.version)
        and bool(covered & set(resources))
        and (not names or request.manifest["metadata"].get("name") in names)
        and scope in ("*", "Namespaced" if kind.namespaced else "Cluster")
    )


def _has(listed: Any, wanted: str) -> bool:
    return bool(listed) and ("*" in listed or wanted in listed)
