"""JSON values printed as Go's fmt verbs print them, for the server's messages.

Source: Go, package fmt; a JSON number without a fraction is an int64 there.
"""

from __future__ import annotations

import json
from typing import Any

__all__ = ["compact_json", "json_kind", "plain", "quoted", "syntax"]


def plain(value: Any) -> str:
    """Print as `%v`: `map[a:1 b:[x y]]`, keys sorted, text bare."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{plain(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(plain, value))}]"
    return _scalar(value, "<nil>") if not isinstance(value, str) else value


def syntax(value: Any) -> str:
    """Print as `%#v`: `map[string]interface {}{"a":1}`."""
    if isinstance(value, dict):
        members = ", ".join(f"{quoted(key)}:{syntax(value[key])}" for key in sorted(value))
        return f"map[string]interface {{}}{{{members}}}"
    if isinstance(value, list):
        return f"[]interface {{}}{{{', '.join(map(syntax, value))}}}"
    return _scalar(value, "interface {}(nil)") if not isinstance(value, str) else quoted(value)


def quoted(text: str) -> str:
    """Print as `%q`: in double quotes, with Go's escapes."""
    body = json.dumps(text, ensure_ascii=False)
    for code, escape in (("\\u0007", "\\a"), ("\\u000b", "\\v"), ("\x7f", "\\x7f")):
        body = body.replace(code, escape)
    return body if body.isprintable() else _escaped(body)


def json_kind(value: Any) -> str:
    """Name the kind of a JSON value as Go's decoder does in its type errors."""
    if isinstance(value, bool):
        return "bool"
    names = {dict: "object", list: "array", str: "string", int: "number", float: "number"}
    return names.get(type(value), "null")


def _scalar(value: Any, null: str) -> str:
    if value is None:
        return null
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _escaped(text: str) -> str:
    """Escape what Go's IsPrint refuses."""
    return "".join(
        char
        if char.isprintable()
        else f"\\u{ord(char):04x}"
        if ord(char) < 0x10000
        else f"\\U{ord(char):08x}"
        for char in text
    )


def compact_json(value: Any) -> str:
    """Print JSON as Go's encoder does: keys sorted, no spaces, HTML characters escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
