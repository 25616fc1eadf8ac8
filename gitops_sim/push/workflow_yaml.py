"""A workflow file as entries: each value knows its line and its field, and can refuse itself.

The safe loader looks at the file first (size, depth, aliases, duplicate keys); what it lets pass
is read a second time as YAML 1.2, which GitHub uses: `on` is a word there, not a boolean.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeAlias

from gitops_sim.apimachinery import yaml_loader
from gitops_sim.errors import ManifestError, SpecError

__all__ = ["Entry", "Scalar", "read"]

Scalar: TypeAlias = str | int | float | bool | None
NUMBER = re.compile(r"[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?", re.ASCII)
WORDS: Mapping[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of the file.

    Attributes:
        file: Its path in the repository.
        line: 1-based; for the value of a key, the line of the key.
        field: Such as `jobs.deploy.steps[0].run`; empty for the whole file.
        value: A scalar, a dict of entries, or a list of entries.
        written: A plain scalar as it was written; empty for all else.
    """

    file: str
    line: int
    field: str
    value: Any
    written: str = ""

    def refuse(self, problem: str, fix: str = "") -> SpecError:
        """Return the error that says what is wrong here."""
        return SpecError(self.file, self.line, problem, fix, self.field)

    def mapping(self, known: Collection[str] = ()) -> dict[str, Entry]:
        """Return the members.

        Args:
            known: Names that may be used; empty: any.

        Raises:
            SpecError: This is no mapping, or a name is unknown.
        """
        if not isinstance(self.value, dict):
            raise self.refuse(f"want a mapping, not {self.said()}", "write `name: value` below it")
        for name, entry in self.value.items():
            if known and name not in known:
                close = get_close_matches(name, sorted(known), 1)
                listed = ", ".join(sorted(known))
                fix = f"did you mean {close[0]!r}?" if close else f"use one of {listed}"
                raise entry.refuse(f"unexpected key {name!r}", fix)
        return dict(self.value)

    def items(self) -> list[Entry]:
        """Return the items of a list; SpecError when this is none."""
        if not isinstance(self.value, list):
            raise self.refuse(f"want a list, not {self.said()}", "put `- ` before each item")
        return list(self.value)

    def text(self) -> str:
        """Return a scalar as text, as it was written; SpecError for a list or mapping."""
        if isinstance(self.value, dict | list):
            raise self.refuse(f"want text, not {self.said()}", "write it on one line, in quotes")
        return self.written if not isinstance(self.value, str) else self.value

    def texts(self) -> list[str]:
        """Return one text or a list of texts as a list."""
        if isinstance(self.value, list):
            return [item.text() for item in self.value]
        return [self.text()]

    def number(self) -> float:
        """Return a number above 0; SpecError when this is none."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            raise self.refuse(f"want a number, not {self.said()}")
        if self.value <= 0:
            raise self.refuse("want a number above 0")
        return float(self.value)

    def flag(self) -> bool:
        """Return true or false; SpecError for anything else."""
        if not isinstance(self.value, bool):
            raise self.refuse(f"want true or false, not {self.said()}")
        return self.value

    def plain(self) -> Any:
        """Return the value without lines, as JSON."""
        if isinstance(self.value, dict):
            return {name: entry.plain() for name, entry in self.value.items()}
        if isinstance(self.value, list):
            return [entry.plain() for entry in self.value]
        return self.value

    def said(self) -> str:
        """Return what this is, for a message."""
        if isinstance(self.value, dict):
            return "a mapping"
        if isinstance(self.value, list):
            return "a list"
        return "nothing" if self.value is None else f"{self.text()[:40]!r}"


def read(data: bytes, file: str) -> Entry:
    """Read a workflow file.

    Raises:
        SpecError: It is not YAML, not safe to read, empty, or more than one document.
    """
    try:
        documents = yaml_loader.load_all(data, file)
    except ManifestError as wrong:
        raise SpecError(wrong.file, wrong.line, wrong.problem, wrong.fix, wrong.field) from None
    if len(documents) != 1:
        problem = "the file is empty" if not documents else "the file has several documents"
        raise SpecError(file, 0, problem, "write one workflow, with `on:` and `jobs:`")
    import yaml  # 50 ms to import

    try:
        nodes: list[Any] = list(yaml.compose_all(data, Loader=yaml.SafeLoader))
    except yaml.YAMLError as wrong:
        raise SpecError(file, 0, f"not YAML: {wrong}", "write it as YAML, not JSON") from None
    entries = [_entry(node, file, 0, "") for node in nodes]
    return next(entry for entry in entries if entry.value is not None)


def _entry(node: Any, file: str, line: int, field: str) -> Entry:
    """Return a node of PyYAML as an entry."""
    line = line or node.start_mark.line + 1
    if node.id == "mapping":
        members = {}
        for key, value in node.value:
            name = str(key.value)
            below = f"{field}.{name}" if field else name
            members[name] = _entry(value, file, key.start_mark.line + 1, below)
        return Entry(file, line, field, members)
    if node.id == "sequence":
        items = [
            _entry(item, file, 0, f"{field}[{index}]") for index, item in enumerate(node.value)
        ]
        return Entry(file, line, field, items)
    if node.style is None:
        return Entry(file, line, field, _resolved(node.value), node.value)
    return Entry(file, line, field, node.value)


def _resolved(text: str) -> Scalar:
    """Return what a plain scalar means in YAML 1.2."""
    if text in WORDS:
        return WORDS[text]
    if NUMBER.fullmatch(text):
        number = float(text)
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    return text
