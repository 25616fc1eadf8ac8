"""Rules that many kinds share: numbers, ports, percentages, selectors, quantities, what is fixed.

Each function yields the causes of one field; `path` is where that field is.

Source: k8s.io/apimachinery, pkg/util/validation and pkg/apis/meta/v1/validation; k8s.io/kubernetes,
pkg/apis/core/validation.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

from gitops_sim.apimachinery import causes, names, quantities
from gitops_sim.apimachinery.causes import Cause

__all__ = [
    "COUNTED",
    "address_of",
    "between",
    "immutable",
    "int_or_percent",
    "ip_causes",
    "is_network",
    "is_selector",
    "label_causes",
    "label_selector",
    "matches",
    "named",
    "network_causes",
    "non_negative",
    "not_over_100_percent",
    "port_number",
    "port_number_or_name",
    "quantity",
    "requirements",
    "share",
    "supported",
]

FIXED = "field is immutable"
NOT_NEGATIVE = "must be greater than or equal to 0"
_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")
_HUGE_PAGES = "hugepages-"
_OF_CONTAINERS = frozenset({"cpu", "memory", "ephemeral-storage"})
_IN_PARTS = _OF_CONTAINERS | {"storage"}
COUNTED = (
    "configmaps",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
)
"""Resources of a quota that are counted, not measured."""
_SHARES = ("cpu", "memory", "ephemeral-storage")
_STANDARD = frozenset(
    (
        *_IN_PARTS,
        *COUNTED,
        *(f"{kind}.{name}" for kind in ("limits", "requests") for name in _SHARES),
        "requests.storage",
    )
)
"""Names without a prefix that a resource may have at all."""


def non_negative(target: dict[str, Any], path: str, *members: str) -> Iterator[Cause]:
    """Refuse members that are set and below 0."""
    for member in members:
        value = target.get(member)
        if value is not None and value < 0:
            yield causes.invalid(f"{path}.{member}", value, NOT_NEGATIVE)


def between(value: int, low: int, high: int, path: str) -> Iterator[Cause]:
    """Refuse a number outside a range."""
    if not low <= value <= high:
        yield causes.invalid(path, value, f"must be between {low} and {high}, inclusive")


def port_number(value: int, path: str) -> Iterator[Cause]:
    """Refuse what is no port."""
    yield from between(value, 1, 65535, path)


def port_number_or_name(value: int | str, path: str) -> Iterator[Cause]:
    """Refuse what is neither a port nor the name of one."""
    if isinstance(value, int):
        yield from port_number(value, path)
    else:
        yield from named(value, path, names.validate_port_name)


def named(value: str, path: str, rule: Callable[[str], list[str]]) -> Iterator[Cause]:
    """Refuse a name that breaks a rule of `names`."""
    for problem in _problems(rule, value):
        yield causes.invalid(path, value, problem)


@lru_cache(maxsize=8192)
def _problems(rule: Callable[[str], list[str]], value: str) -> tuple[str, ...]:
    return tuple(rule(value))


def supported(value: Any, path: str, words: Iterable[str]) -> Iterator[Cause]:
    """Refuse a value outside an enumeration."""
    listed = tuple(words)
    if value not in listed:
        yield causes.not_supported(path, value, listed)


def immutable(
    new: dict[str, Any], old: dict[str, Any], path: str, *members: str
) -> Iterator[Cause]:
    """Refuse a change of members."""
    for member in members:
        if new.get(member) != old.get(member):
            yield causes.invalid(f"{path}.{member}", new.get(member), FIXED)


def int_or_percent(value: int | str, path: str) -> Iterator[Cause]:
    """Refuse what is neither a number from 0 on nor a percentage."""
    if isinstance(value, int):
        if value < 0:
            yield causes.invalid(path, value, NOT_NEGATIVE)
    elif not re.fullmatch(r"[0-9]+%", value):
        yield causes.invalid(
            path,
            value,
            "a valid percent string must be a numeric string followed by an ending '%' (e.g. "
            "'1%',  or '93%', regex used for validation is '[0-9]+%')",
        )


@lru_cache(maxsize=4096)
def address_of(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the IP address that a text tells; None when it is none."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def ip_causes(text: str, path: str) -> Iterator[Cause]:
    """Refuse what is no IP address."""
    if address_of(text) is None:
        told = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
        yield causes.invalid(path, text, told)


def is_network(text: str) -> bool:
    """True for a CIDR value."""
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return "/" in text


def network_causes(text: str, path: str) -> Iterator[Cause]:
    """Refuse what is no CIDR value."""
    if not is_network(text):
        told = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
        yield causes.invalid(path, text, told)


def share(value: int | str) -> int:
    """Return the number in a number or percentage; 0 for what is neither."""
    digits = str(value).removesuffix("%")
    return int(digits) if re.fullmatch(r"[+-]?[0-9]+", digits) else 0


def not_over_100_percent(value: int | str, path: str) -> Iterator[Cause]:
    """Refuse a percentage above 100."""
    if isinstance(value, str) and share(value) > 100:
        yield causes.invalid(path, value, "must not be greater than 100%")


def label_causes(labels: dict[str, Any] | None, path: str) -> Iterator[Cause]:
    """Refuse keys and values that are none of labels."""
    for key, value in (labels or {}).items():
        yield from named(key, path, names.validate_label_key)
        yield from named(value, path, names.validate_label_value)


def label_selector(selector: dict[str, Any] | None, path: str) -> Iterator[Cause]:
    """Refuse a LabelSelector whose labels or requirements are wrong."""
    if not selector:
        return
    yield from label_causes(selector.get("matchLabels"), f"{path}.matchLabels")
    for index, term in enumerate(selector.get("matchExpressions") or ()):
        place = f"{path}.matchExpressions[{index}]"
        operator, values = term.get("operator"), term.get("values") or []
        if operator in ("In", "NotIn") and not values:
            yield causes.required(
                f"{place}.values", "must be specified when `operator` is 'In' or 'NotIn'"
            )
        elif operator in ("Exists", "DoesNotExist") and values:
            yield causes.forbidden(
                f"{place}.values",
                "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
            )
        elif operator not in _OPERATORS:
            yield causes.invalid(f"{place}.operator", operator, "not a valid selector operator")
        yield from named(term.get("key", ""), f"{place}.key", names.validate_label_key)
        for number, value in enumerate(values):
            for problem in names.validate_label_value(value):
                yield causes.invalid(f"{place}.values[{number}]", value, problem)


def is_selector(selector: dict[str, Any]) -> bool:
    """True when a LabelSelector breaks no rule, so that it can be asked what it selects."""
    return next(label_selector(selector, ""), None) is None


def matches(selector: dict[str, Any] | None, labels: dict[str, Any] | None) -> bool:
    """True when a LabelSelector selects labels; no selector selects nothing."""
    if selector is None:
        return False
    have = labels or {}
    if any(have.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    for term in selector.get("matchExpressions") or ():
        value, listed = have.get(term["key"]), term.get("values") or ()
        holds = {
            "In": value is not None and value in listed,
            "NotIn": value is None or value not in listed,
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }
        if not holds.get(term["operator"], False):
            return False
    return True


def quantity(name: str, value: str, path: str) -> Iterator[Cause]:
    """Refuse an amount of a resource that is negative, or in parts where only wholes exist."""
    amount = quantities.parse(value)
    if amount < 0:
        yield causes.invalid(path, value, NOT_NEGATIVE)
    if name not in _IN_PARTS and amount.denominator != 1:
        yield causes.invalid(path, value, "must be an integer")


def requirements(resources: dict[str, Any], path: str, *, of_pod: bool = False) -> Iterator[Cause]:
    """Refuse resource requirements: wrong names or amounts, requests above their limit.

    Args:
        resources: Limits and requests.
        path: Where they are.
        of_pod: They are those of a whole pod, which has fewer resources than a container.
    """
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for kind, amounts in (("limits", limits), ("requests", requests)):
        for name, value in amounts.items():
            place = f"{path}.{kind}[{name}]"
            yield from _pod_resource_name(name, place) if of_pod else _resource_name(name, place)
            yield from quantity(name, value, place)
            yield from _huge_page(name, value, place)
    named_all = {*limits, *requests}
    pages = any(name.startswith(_HUGE_PAGES) for name in named_all)
    if pages and not named_all & {"cpu", "memory"}:
        yield causes.forbidden(path, "HugePages require cpu or memory")
    for name, value in requests.items():
        limit = limits.get(name)
        whole = "/" in name or name.startswith("hugepages-")
        if limit is None:
            if whole:
                text = "Limit must be set for non overcommitable resources"
                yield causes.required(f"{path}.limits", text)
            continue
        over = quantities.parse(value) > quantities.parse(limit)
        if whole and quantities.parse(value) != quantities.parse(limit):
            yield causes.invalid(
                f"{path}.requests", value, f"must be equal to {name} limit of {limit}"
            )
        elif over:
            yield causes.invalid(
                f"{path}.requests", value, f"must be less than or equal to {name} limit of {limit}"
            )


def _huge_page(name: str, value: str, path: str) -> Iterator[Cause]:
    if not name.startswith(_HUGE_PAGES):
        return
    try:
        pages = quantities.parse(value) / quantities.parse(name.removeprefix(_HUGE_PAGES))
    except (ValueError, ZeroDivisionError):
        return
    if pages <= 0 or pages.denominator != 1:
        text = f"{value} is not positive integer multiple of {name}"
        yield causes.invalid(path, value, text)


def _resource_name(name: str, path: str) -> Iterator[Cause]:
    problems = _problems(names.validate_label_key, name)
    if problems:
        yield from (causes.invalid(path, name, problem) for problem in problems)
        return
    if "/" in name or name.startswith(_HUGE_PAGES):
        return
    if name not in _STANDARD:
        yield causes.invalid(path, name, "must be a standard resource type or fully qualified")
    if name not in _OF_CONTAINERS:
        yield causes.invalid(path, name, "must be a standard resource for containers")


def _pod_resource_name(name: str, path: str) -> Iterator[Cause]:
    if not name.startswith(_HUGE_PAGES):
        yield from supported(name, path, ("cpu", _HUGE_PAGES, "memory"))
