"""The formats of text that a CRD may ask for.

Source: k8s.io/kube-openapi, pkg/validation/strfmt.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable
from datetime import date

__all__ = ["is_valid"]

_DATE_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([Zz]|[-+]\d\d:?\d\d)",
    re.ASCII,
)
_GO_DURATION = re.compile(
    r"[-+]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))*|0"
)
_WORD_DURATION = re.compile(
    r"\d+(\.\d+)?\s*(ns|nano|us|µs|micro|ms|milli|s|sec|m|min|h|hr|hour|d|day|w|week|wk)"
    r"(ond|ute|nd)?s?",
)
_UUID = r"[0-9a-f]{{8}}-?[0-9a-f]{{4}}-?{}[0-9a-f]{{3}}-?{}[0-9a-f]{{3}}-?[0-9a-f]{{12}}"
_HOST = r"([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*\.?"
_LONG_NAME = re.compile(
    r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", re.IGNORECASE
)
_SHORT_NAME = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"


def is_valid(name: str, text: str) -> bool:
    """True when text is of the named format; an unknown format is no restriction."""
    check = _CHECKS.get(name.replace("-", "") if name == "date-time" else name)
    return check is None or check(text)


def _parses(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            parse(text)
        except (ValueError, binascii.Error):
            return False
        return True

    return check


def _pattern(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.ASCII | re.IGNORECASE)
    return lambda text: compiled.fullmatch(text) is not None


def _is_date_time(text: str) -> bool:
    return _DATE_TIME.fullmatch(text) is not None and _parses(date.fromisoformat)(text[:10])


def _is_duration(text: str) -> bool:
    return bool(_GO_DURATION.fullmatch(text) or _WORD_DURATION.fullmatch(text))


def _cidr(text: str) -> object:
    if "/" not in text:
        raise ValueError(text)
    return ipaddress.ip_network(text, strict=False)


def _is_long_name(text: str) -> bool:
    return len(text) <= 253 and _LONG_NAME.fullmatch(text) is not None


_CHECKS: dict[str, Callable[[str], bool]] = {
    "datetime": _is_date_time,
    "date": _parses(date.fromisoformat),
    "duration": _is_duration,
    "byte": _parses(lambda text: base64.b64decode(text, validate=True)),
    "ipv4": _parses(ipaddress.IPv4Address),
    "ipv6": _parses(ipaddress.IPv6Address),
    "cidr": _parses(_cidr),
    "mac": _pattern(r"([0-9a-f]{2}[:-]){5}([0-9a-f]{2})|([0-9a-f]{4}\.){2}[0-9a-f]{4}"),
    "uuid": _pattern(_UUID.format("[0-9a-f]", "[0-9a-f]")),
    "uuid3": _pattern(_UUID.format("3", "[0-9a-f]")),
    "uuid4": _pattern(_UUID.format("4", "[89ab]")),
    "uuid5": _pattern(_UUID.format("5", "[89ab]")),
    "uri": _pattern(r"([a-z][a-z0-9+.-]*:[^\s]*|/[^\s]*)"),
    "email": _pattern(r"[^@\s<>]+@[^@\s<>]+"),
    "hostname": _pattern(_HOST),
    "k8s-short-name": _pattern(_SHORT_NAME),
    "k8s-long-name": _is_long_name,
}
