"""Which YAML means the same to kustomize and to this lab's reader.

kustomize reads resources with YAML 1.2 words but keeps some of 1.1 (`yes` is text, `0777` octal, a
date becomes a timestamp), and the reader here follows the API server's YAML 1.1. Most files hold
nothing on which the two differ; a file that does is left to kubectl, by this check.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from gitops_sim.apimachinery import yaml_scalars

__all__ = ["PlainFiles"]

SAFE_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,17}|-?(0|[1-9][0-9]{0,8})\.[0-9]{1,8}")
SAFE_WORDS = frozenset(
    ("true", "false", "True", "False", "TRUE", "FALSE", "null", "Null", "NULL", "~", "")
)
NUMERIC = frozenset("+-0123456789.")
STRANGE = re.compile(
    r"[0-9_.eE+-]+|[-+]?0[xXoObB][0-9a-fA-F_]*|[-+]?[.](inf|nan)|\d{4}-\d\d?-\d.*|[-+]?[0-9][0-9_]*:.*",
    re.I,
)
"""Text from a digit or sign on that one of the YAML versions could take for no text."""
SCHEMA = re.compile(rb"#\s*\{|\$openapi")
"""Comments by which files bring schemas of their own."""
ODD_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "<<", "="))


class PlainFiles:
    """Remembers by content which YAML holds nothing odd."""

    def __init__(self) -> None:
        self._known: dict[str, bool] = {}

    def is_plain(self, blob_id: str, read: Callable[[], bytes]) -> bool:
        """Return True when no scalar, anchor or tag can be read in two ways.

        Args:
            blob_id: The Git blob id of the text.
            read: Returns the text, YAML that the reader accepted.
        """
        known = self._known.get(blob_id)
        if known is None:
            known = self._known[blob_id] = _is_plain(read())
        return known


def _is_plain(text: bytes) -> bool:
    import yaml  # 50 ms to import

    if (
        text.startswith((b"\xef\xbb\xbf", b"%"))
        or b"\t" in text
        or b"\r" in text
        or SCHEMA.search(text)
    ):
        return False
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return all(_means_one_thing(event) for event in yaml.parse(text.decode(), Loader=loader))
    except yaml.YAMLError:  # JSON that is no YAML
        return False


def _means_one_thing(event: Any) -> bool:
    """Return True for an event without alias, anchor or tag, and for scalars that are safe."""
    if getattr(event, "anchor", None) or getattr(event, "tag", None):  # an alias has an anchor too
        return False
    return not hasattr(event, "value") or _is_safe(event)


def _is_safe(event: Any) -> bool:
    """Return True for a scalar that is one thing to every version of YAML."""
    text: str = event.value
    if not event.implicit[0]:
        return not any(ord(sign) < 32 and sign != "\n" for sign in text)
    if text[:1] in NUMERIC:
        if SAFE_NUMBER.fullmatch(text):
            return float(text) != 0 or text == "0"
        return STRANGE.fullmatch(text) is None or _is_version(text)
    if text.lower() in ODD_WORDS:
        return False
    return text in SAFE_WORDS or isinstance(yaml_scalars.resolve(text), str)


def _is_version(text: str) -> bool:
    """Return True for `1.2.3` and addresses: several dots make no number."""
    return re.fullmatch(r"[0-9]+(\.[0-9]+){2,}", text) is not None
