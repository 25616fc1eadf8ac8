r"""The part of kubectl's JSONPath that pipelines use.

`{.status.readyReplicas}`, `{.items[*].metadata.name}`, `[0]`, `['a.b']`, `.a\.b`,
`[?(@.type=="Ready")]`, text and `{"\n"}` around them.

Differs: no `range`, no slices, no comparison but `==` and `!=`.
"""

from __future__ import annotations

import json
import re
from typing import Any

from gitops_sim.errors import LabError

__all__ = ["evaluate"]

STEP = re.compile(
    r"""\.?(?:
        (?P<field>(?:[A-Za-z0-9_$/-]|\\.)+)
      | \[(?P<index>-?\d+)\]
      | \[(?P<all>\*)\] | (?P<star>\*)
      | \[(?P<quote>['"])(?P<key>.*?)(?P=quote)\]
      | \[\?\(@(?P<left>[^=!)]+?)\s*(?P<op>==|!=)\s*(?P<right>[^)]+?)\)\]
    )""",
    re.VERBOSE,
)


def evaluate(template: str, value: Any) -> str:
    """Return the text that a template gives for an object; what is missing gives nothing.

    Raises:
        LabError: The template uses what is not understood.
    """
    text = template if "{" in template else f"{{{_with_dot(template)}}}"
    out: list[str] = []
    for part in re.split(r"(\{[^{}]*\})", text):
        if part.startswith("{") and part.endswith("}"):
            out.append(_expression(part[1:-1].strip(), value))
        else:
            out.append(part)
    return "".join(out)


def _with_dot(path: str) -> str:
    return path if path.startswith((".", "[", "$", "@")) else f".{path}"


def _expression(text: str, value: Any) -> str:
    """Return what stands for one `{...}`."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        literal = text[1:-1].replace('"', '\\"') if text[0] == "'" else text[1:-1]
        return str(json.loads(f'"{literal}"'))
    if text.split(" ")[0] in ("range", "end"):
        raise LabError(f"error parsing jsonpath {{{text}}}: range is not understood here")
    return " ".join(_shown(found) for found in _walk(text, value))


def _walk(path: str, value: Any) -> list[Any]:
    """Return the values that a path leads to."""
    rest = path.removeprefix("$").removeprefix("@")
    found = [value]
    while rest and rest != ".":
        match = STEP.match(rest)
        if match is None:
            raise LabError(f"error parsing jsonpath {{{path}}}: unrecognized text at {rest!r}")
        rest = rest[match.end() :]
        found = [child for item in found for child in _children(match, item)]
    return found


def _children(step: re.Match[str], item: Any) -> list[Any]:
    """Return what one step leads to from one value."""
    name = step["key"] if step["key"] is not None else step["field"]
    if name is not None:
        name = re.sub(r"\\(.)", r"\1", name)
        return [item[name]] if isinstance(item, dict) and name in item else []
    if step["index"] is not None:
        index = int(step["index"])
        there = isinstance(item, list) and -len(item) <= index < len(item)
        return [item[index]] if there else []
    if step["op"] is not None:
        wanted = step["right"].strip("'\"")
        equal = step["op"] == "=="
        items = item if isinstance(item, list) else []
        return [
            one
            for one in items
            if (wanted in [_shown(found) for found in _walk(step["left"], one)]) == equal
        ]
    if isinstance(item, dict):
        return list(item.values())
    return list(item) if isinstance(item, list) else []


def _shown(value: Any) -> str:
    """Return a value as kubectl prints it: text as it is, all else as JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
