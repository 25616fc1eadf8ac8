"""YAML files as Kubernetes reads them, safe on files from anywhere.

A file is refused at once when it is over 3 MiB. Its text then runs through the parser (C where
there is one) as a stream of events, from which the documents are built on a stack of our own: so
nothing recurses, and depth and aliases are limited while reading, before anything can explode.
(The C loader of PyYAML crashes on deep nesting, and ten lines of aliases fill the memory.)
Scalars mean what they mean to kubectl; see `yaml_scalars`.

Differs: a duplicate key is an error (kubectl silently keeps the last one on the client side); in
a merge (`<<`) written keys win wherever they stand, as in kustomize and the YAML specification.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gitops_sim.apimachinery import yaml_scalars
from gitops_sim.apimachinery.copying import fresh_copy
from gitops_sim.apimachinery.yaml_dump import dump
from gitops_sim.errors import ManifestError

__all__ = ["MAX_ALIASES", "MAX_BYTES", "MAX_DEPTH", "Document", "dump", "load_all"]

MAX_BYTES = 3 * 1024 * 1024
"""Size limit of a file: that of a request to the API server."""
MAX_DEPTH = 100
MAX_ALIASES = 100
MAX_COPIED = 100_000
"""Values that all aliases of a file may add up to."""

_NO_KEY = object()
_MERGE_KEY = object()


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document.

    `manifest` is its JSON value, usually a dict; `line` is where its content begins, 1-based;
    `index` is its place among the documents of the file that are not empty, from 0.
    """

    manifest: Any
    line: int
    index: int


def load_all(
    text: str | bytes, file: str = "", *, repeated: list[tuple[int, str]] | None = None
) -> list[Document]:
    """Read all documents of a YAML or JSON file; empty ones are left out.

    Args:
        text: The content; bytes are UTF-8.
        file: Path for messages.
        repeated: Where lines and keys go that were there already; the last value counts then.
            None: such a key is an error.

    Raises:
        ManifestError: The file is too large, too deep, not YAML, has a duplicate key, ...
    """
    content = _decode(text, file)
    fast = _as_json(content)
    if fast is not None:
        return [Document(fast, 1 + _blank_lines(content), 0)]
    return _Builder(file, repeated).build(content)


def _decode(text: str | bytes, file: str) -> str:
    limit_fix = "split the file, or keep large data out of manifests"
    size = len(text)
    if size <= MAX_BYTES and isinstance(text, str) and not text.isascii():
        size = len(text.encode(errors="surrogatepass"))
    if size > MAX_BYTES:
        problem = f"file is over the limit of {MAX_BYTES // 1024 // 1024} MiB"
        raise ManifestError(file, 0, problem, limit_fix)
    if isinstance(text, str):
        return text.removeprefix("\ufeff")
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = text.count(b"\n", 0, problem.start) + 1
        raise ManifestError(file, line, "file is not UTF-8", "save it as UTF-8") from None


def _as_json(content: str) -> Any:
    """Return the value of a file that is one JSON object; None when YAML must look at it.

    JSON may hold what YAML refuses (tabs), and is read faster. Whatever is wrong, the YAML parser
    finds again and tells where.
    """
    if not content.lstrip(" \t\r\n").startswith("{"):
        return None
    try:
        value = json.loads(
            content,
            object_pairs_hook=_unique,
            parse_float=yaml_scalars.resolve,
            parse_int=yaml_scalars.resolve,
            parse_constant=_refuse_constant,
        )
    except (ValueError, RecursionError):
        return None
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            return None
        level = [
            child
            for item in level
            for child in (item.values() if isinstance(item, dict) else item)
            if isinstance(child, dict | list)
        ]
    return value if "\\u" not in content or _is_unicode(value) else None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate key")
    return members


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


def _is_unicode(value: Any) -> bool:
    """False for half a surrogate pair, which no JSON encoder can write."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _blank_lines(content: str) -> int:
    return content.count("\n", 0, len(content) - len(content.lstrip(" \t\r\n")))


class _Open:
    """A mapping or list whose end has not been read yet."""

    __slots__ = ("anchor", "key", "line", "lines", "merges", "started", "value")

    def __init__(self, value: Any, line: int, anchor: str | None, started: int) -> None:
        self.value = value
        self.line = line
        self.anchor = anchor
        self.started = started
        self.key: Any = _NO_KEY
        self.lines: dict[str, int] = {}
        self.merges: list[tuple[Any, int]] = []


class _Builder:
    """Builds documents from parser events; one for each file."""

    def __init__(self, file: str, repeated: list[tuple[int, str]] | None = None) -> None:
        self._file = file
        self._repeated = repeated
        self._documents: list[Document] = []
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._aliases = 0
        self._copied = 0
        self._count = 0
        self._root: tuple[Any, int] | None = None

    def build(self, content: str) -> list[Document]:
        """Return the documents; see `load_all`."""
        import yaml  # 50 ms to import

        scalar, alias = yaml.events.ScalarEvent, yaml.events.AliasEvent
        starts = {yaml.events.MappingStartEvent: dict, yaml.events.SequenceStartEvent: list}
        ends = (yaml.events.MappingEndEvent, yaml.events.SequenceEndEvent)
        document_end = yaml.events.DocumentEndEvent
        try:
            for event in self._events(yaml, content):
                kind = type(event)
                if kind is scalar:
                    self._scalar(event)
                elif kind in starts:
                    self._open(starts[kind](), event)
                elif kind in ends:
                    self._close()
                elif kind is alias:
                    self._alias(event)
                elif kind is document_end:
                    self._finish()
        except yaml.YAMLError as problem:
            raise self._syntax_error(problem, content) from None
        return self._documents

    @staticmethod
    def _events(yaml: Any, content: str) -> Iterator[Any]:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        events: Iterator[Any] = yaml.parse(content, Loader=loader)
        return events

    def _scalar(self, event: Any) -> None:
        text, tag, line = event.value, event.tag, event.start_mark.line + 1
        try:
            if tag and tag != "!":
                value = yaml_scalars.resolve_tagged(tag, text)
            elif event.implicit[0]:
                value = yaml_scalars.resolve(text)
            else:
                value = text
            if event.style == '"' and not text.isascii():
                text.encode()
        except UnicodeEncodeError:
            raise self._error(line, "half a surrogate pair", "write the character") from None
        except ValueError as problem:
            raise self._error(line, str(problem), "put it into quotes") from None
        if event.anchor:
            self._anchors[event.anchor] = (value, 1)
        self._add(value, line, is_merge=text == "<<" and event.implicit[0])

    def _open(self, value: Any, event: Any) -> None:
        line = event.start_mark.line + 1
        if len(self._stack) >= MAX_DEPTH:
            raise self._error(line, f"nested deeper than {MAX_DEPTH} levels", "flatten it")
        if self._stack and self._expects_key(self._stack[-1]):
            raise self._error(line, "a key is a list or mapping", "quote text with braces")
        if event.anchor:
            self._anchors.pop(event.anchor, None)
        self._stack.append(_Open(value, line, event.anchor, self._count))

    def _close(self) -> None:
        opened = self._stack.pop()
        for merged, line in opened.merges:
            for source in merged if isinstance(merged, list) else [merged]:
                if not isinstance(source, dict):
                    raise self._error(line, "a merge (<<) of what is no mapping", "use an alias")
                for key, value in source.items():
                    opened.value.setdefault(key, value)
        if opened.anchor:
            self._anchors[opened.anchor] = (opened.value, self._count - opened.started + 1)
        self._add(opened.value, opened.line)

    def _alias(self, event: Any) -> None:
        line = event.start_mark.line + 1
        self._aliases += 1
        if self._aliases > MAX_ALIASES:
            raise self._error(line, f"more than {MAX_ALIASES} aliases", "write the values out")
        if event.anchor not in self._anchors:
            problem = f"alias *{event.anchor} without an anchor before it"
            raise self._error(line, problem, f"mark the value with &{event.anchor}")
        value, size = self._anchors[event.anchor]
        self._copied += size
        if self._copied > MAX_COPIED:
            problem = f"aliases add up to more than {MAX_COPIED} values"
            raise self._error(line, problem, "write the values out")
        self._count += size
        self._add(fresh_copy(value), line)

    def _add(self, value: Any, line: int, *, is_merge: bool = False) -> None:
        self._count += 1
        if not self._stack:
            self._root = (value, line)
            return
        parent = self._stack[-1]
        if type(parent.value) is list:
            parent.value.append(value)
        elif parent.key is _NO_KEY:
            parent.key = _MERGE_KEY if is_merge else self._key(parent, value, line)
        else:
            if parent.key is _MERGE_KEY:
                parent.merges.append((value, line))
            else:
                parent.value[parent.key] = value
            parent.key = _NO_KEY

    def _key(self, parent: _Open, value: Any, line: int) -> str:
        if isinstance(value, dict | list):
            raise self._error(line, "a key is a list or mapping", "write the key out")
        try:
            key = yaml_scalars.key_text(value)
        except ValueError as refused:
            raise self._error(line, str(refused), "put the key into quotes") from None
        first = parent.lines.setdefault(key, line)
        if first != line or key in parent.value:
            if self._repeated is not None:
                self._repeated.append((line, key))
                return key
            problem = f"duplicate key {key!r}, first on line {first}"
            raise self._error(line, problem, "keep one of the two")
        return key

    @staticmethod
    def _expects_key(parent: _Open) -> bool:
        return type(parent.value) is dict and parent.key is _NO_KEY

    def _finish(self) -> None:
        value, line = self._root or (None, 0)
        if value is not None:
            self._documents.append(Document(value, line, len(self._documents)))
        self._root = None
        self._anchors.clear()

    def _error(self, line: int, problem: str, fix: str) -> ManifestError:
        return ManifestError(self._file, line, problem, fix)

    def _syntax_error(self, found: Any, content: str) -> ManifestError:
        mark = getattr(found, "problem_mark", None) or getattr(found, "context_mark", None)
        line = mark.line + 1 if mark is not None else 0
        if mark is None:  # a character that no YAML may hold
            place = getattr(found, "position", 0)
            line = content.count("\n", 0, place if isinstance(place, int) else 0) + 1
        text = str(getattr(found, "problem", None) or getattr(found, "reason", found))
        fix = "check indentation and quotes here and in the line above"
        lines = content.splitlines()
        if "\\t" in text or "\t" in "".join(lines[max(0, line - 2) : line]).lstrip(" "):
            fix = "indent with spaces, not tabs"
        elif "special characters" in text or "control characters" in text:
            fix = "remove the control character"
        return self._error(line, text[:1].lower() + text[1:], fix)
