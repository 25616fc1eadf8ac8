"""ValidatingAdmissionPolicies: rules in CEL that judge requests, by their bindings.

Source: k8s.io/apiserver, pkg/admission/plugin/policy/validating.
Differs: a policy takes effect at once; `authorizer` is not a variable; audit annotations and the
type checks in a policy's status are not made; costs are not counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops_sim.apimachinery.cel import POLICY_VARIABLES, CelError, Program, compile_expression
from gitops_sim.apimachinery.labels import from_label_selector
from gitops_sim.apiserver.matching import AdmissionRequest
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
_ERRORS: dict[str, type[ApiError]] = {
    "Forbidden": ForbiddenError,
    "Unauthorized": UnauthorizedError,
    "RequestEntityTooLarge": TooLargeError,
}


def judge_by_policies(server: ApiServer, write: Write, manifest: Manifest) -> None:
    """Admission: refuse or warn of a request that a bound policy does not allow.

    Raises:
        ApiError: Of the reason that the policy names; Invalid where it names none.
    """
    if not server.store.holds(_BINDINGS) or write.resource_type.group == _GROUP:
        return
    request = AdmissionRequest(server, write, manifest)
    for binding in server.store.objects(_BINDINGS):
        policy = server.store.get(_POLICIES, "", binding["spec"].get("policyName", ""))
        if policy is None or not _matches(policy["spec"].get("matchConstraints"), request):
            continue
        if not _matches(binding["spec"].get("matchResources"), request, is_binding=True):
            continue
        for reason, message in _denials(policy, binding, request):
            _act(binding, policy, request, reason, message)


def _act(
    binding: Manifest, policy: Manifest, request: AdmissionRequest, reason: str, message: str
) -> None:
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


def _denials(
    policy: Manifest, binding: Manifest, request: AdmissionRequest
) -> Iterator[tuple[str, str]]:
    """Yield reason and message of each validation that fails, for each set of parameters."""
    spec = policy["spec"]
    fails = spec.get("failurePolicy", "Fail") == "Fail"
    for params in _params(spec, binding, request):
        variables = _variables(request, params)
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


def _variables(request: AdmissionRequest, params: Manifest | None) -> dict[str, Any]:
    return {
        "object": request.object,
        "oldObject": request.old_object,
        "request": request.attributes(),
        "namespaceObject": request.namespace,
        "params": params,
        "variables": {},
    }


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


def _params(spec: Manifest, binding: Manifest, request: AdmissionRequest) -> list[Manifest | None]:
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


def _matches(wanted: Any, request: AdmissionRequest, *, is_binding: bool = False) -> bool:
    """True when constraints include a request; a binding without rules adds none."""
    if not wanted:
        return is_binding
    rules = wanted.get("resourceRules") or ()
    if (rules or not is_binding) and not any(map(request.is_covered, rules)):
        return False
    if any(request.is_covered(rule) for rule in wanted.get("excludeResourceRules") or ()):
        return False
    return request.is_selected(wanted)
