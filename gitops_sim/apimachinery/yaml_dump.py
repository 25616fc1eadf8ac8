"""YAML as kubectl prints it: sorted keys, block style, lists at the indent of their key.

Source: go.yaml.in/yaml/v2, encode.go and sorter.go; sigs.k8s.io/yaml.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, cmp_to_key
from typing import Any

from gitops_sim.apimachinery import yaml_scalars

__all__ = ["dump", "in_key_order"]

TEXT_TAG = "tag:yaml.org,2002:str"


def dump(value: Any) -> str:
    """Return a JSON value as YAML text that ends with a newline.

    Text that YAML would read as something else is quoted, text of several lines is a literal
    block, keys are in natural order (`a2` before `a10`), an empty list is `[]`, a map `{}`.
    """
    import yaml  # 50 ms to import

    text: str = yaml.dump(
        value,
        Dumper=_dumper(),
        default_flow_style=False,
        sort_keys=False,
        allow_unicode=True,
        width=80,
    )
    return text.removesuffix("...\n")


@cache
def _dumper() -> Any:
    import yaml

    base: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

    class Dumper(base):  # type: ignore[misc]
        def ignore_aliases(self, data: Any) -> bool:
            return True

    Dumper.yaml_implicit_resolvers = {}  # what needs quotes is decided here, as Go decides it
    Dumper.add_representer(str, _text)
    Dumper.add_representer(dict, _mapping)
    for plain in (bool, int, float, type(None)):
        Dumper.add_representer(plain, _plain)
    return Dumper


def _text(dumper: Any, value: str) -> Any:
    style = None
    if "\n" in value:
        style = "|"
    elif not yaml_scalars.is_text(value):
        style = '"'
    return dumper.represent_scalar(TEXT_TAG, value, style=style)


def _mapping(dumper: Any, value: dict[str, Any]) -> Any:
    pairs = [(key, value[key]) for key in in_key_order(value)]
    return dumper.represent_mapping("tag:yaml.org,2002:map", pairs, flow_style=not pairs or None)


def _plain(dumper: Any, value: Any) -> Any:
    if value is None:
        text = "null"
    elif isinstance(value, bool):
        text = "true" if value else "false"
    else:
        text = yaml_scalars.float_text(value) if isinstance(value, float) else str(value)
    return dumper.represent_scalar(TEXT_TAG, text)


def in_key_order(keys: Iterable[str]) -> list[str]:
    """Sort as Go's YAML does: digits by their number, and other signs before letters."""
    listed = list(keys)
    if all(key.isalpha() for key in listed):
        return sorted(listed)
    return sorted(listed, key=cmp_to_key(_compare))


def _compare(first: str, second: str) -> int:
    for place, (a, b) in enumerate(zip(first, second, strict=False)):
        if a == b:
            continue
        if a.isalpha() or b.isalpha():
            both = a.isalpha() and b.isalpha()
            return (-1 if a < b else 1) if both else (-1 if b.isalpha() else 1)
        carried = _inside_number(first, place) if "0" in (a, b) else 0
        left, right = _number_at(first, place, carried), _number_at(second, place, carried)
        return -1 if (*left, a) < (*right, b) else 1
    return len(first) - len(second)


def _inside_number(text: str, place: int) -> int:
    """Return 1 when a digit other than 0 stands before `place` in the same run of digits."""
    for character in reversed(text[:place]):
        if not character.isdigit():
            break
        if character != "0":
            return 1
    return 0


def _number_at(text: str, place: int, carried: int) -> tuple[int, int]:
    """Return the number that continues at `place`, and where it ends."""
    end = place
    while end < len(text) and text[end].isdigit():
        end += 1
    digits = text[place:end]
    return carried * 10 ** len(digits) + int(digits or "0"), end
