"""`kubectl explain`: what a kind and its fields are for, from the schemas that the server tells.

Source: k8s.io/kubectl pkg/explain/v2 (templates/plaintext.tmpl); github.com/mitchellh/go-wordwrap.
Differs: `--output=plaintext-openapiv2` is not understood.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gitops_sim.apimachinery import builtin_data
from gitops_sim.apimachinery.kinds import ResourceType
from gitops_sim.apiserver.openapi_components import REFERENCE, described_component
from gitops_sim.apiserver.openapi_custom import custom_schemas
from gitops_sim.errors import LabError
from gitops_sim.kubectl.arguments import Arguments, Flag
from gitops_sim.kubectl.mapping import Mapped
from gitops_sim.kubectl.session import Session, Work
from gitops_sim.kubectl.strictness import definition_of

__all__ = ["EXPLAIN_FLAGS", "explain"]

EXPLAIN_FLAGS = {"api-version": Flag(), "recursive": Flag(takes_value=False)}
MOST_WORDS = 4
Schema = Mapping[str, Any]


def explain(session: Session, arguments: Arguments) -> Work:
    """Explain a kind or a field: `explain deploy.spec.strategy`, `--recursive`."""
    if len(arguments.words) != 1:
        problem = 'You must specify the type of resource to explain. Use "kubectl api-resources"'
        raise LabError(f"{problem} for a complete list of supported resources.")
    word, *path = arguments.words[0].split(".")
    kind = session.kinds.named(word)
    version = arguments.text("api-version")
    if version:
        kind = _in_version(session, kind, version)
    yield session.step("explain", kind, "")
    page = _Page(_schema_of(session, kind), recursive=arguments.on("recursive"))
    head = f"GROUP:      {kind.group}\n" if kind.group else ""
    session.out.append(f"{head}KIND:       {kind.kind}\nVERSION:    {kind.version}\n\n")
    text = page.explained(path)
    if not text:
        raise LabError(f'field "{path[-1]}" does not exist')
    session.out.append(f"{text}\n")
    return 0


def _in_version(session: Session, kind: Mapped, version: str) -> Mapped:
    group, _, name = version.rpartition("/")
    try:
        return session.kinds.named(f"{kind.plural}.{name}.{group}")
    except LabError:
        told = f'couldn\'t find resource for "{version}, Resource={kind.plural}"'
        raise LabError(told) from None


def _schema_of(session: Session, kind: Mapped) -> Schema:
    name = builtin_data.component_of(kind.group, kind.version, kind.kind)
    if name is not None:
        return described_component(name)
    declared = definition_of(session, kind).get("schema") or {}
    resource_type = ResourceType(kind.group, kind.version, kind.kind, kind.plural)
    schema: Schema = custom_schemas(resource_type, declared, kind.kind)[kind.kind]
    return schema


class _Page:
    """The explanation of one kind."""

    def __init__(self, schema: Schema, *, recursive: bool) -> None:
        self._schema = schema
        self._recursive = recursive

    def explained(self, path: list[str]) -> str:
        """Return what is told of the kind, or of a field; empty when there is no such field."""
        return self._output(self._schema, path, frozenset())

    def _output(self, schema: Schema, path: list[str], seen: frozenset[str]) -> str:
        found = _resolved(schema)
        if not path:
            told = _wrapped("".join(_descriptions(schema)) or "<empty>", 76, 4)
            fields = "".join(self._fields(schema, 1, frozenset()))
            return f"DESCRIPTION:\n{told}\n" + (f"FIELDS:\n{fields}" if fields else "")
        reference = str(schema.get("$ref", ""))
        if reference in seen:
            return ""
        inside = seen | ({reference} if reference else set())
        below = (found.get("properties") or {}).get(path[0])
        if below is not None:
            head = ""
            if len(path) == 1:
                words = "".join(f"\n    {_word(word)}" for word in below.get("enum") or ())
                enum = f"ENUM:{words}" if words else ""
                head = f"FIELD: {path[0]} <{_type(below)}>\n{enum}\n\n"
            rest = self._output(below, path[1:], frozenset())
            return f"{head}{rest}" if rest else ""
        for nested in _nested(found):
            text = self._output(nested, path, inside)
            if text:
                return text
        return ""

    def _fields(self, schema: Schema, level: int, seen: frozenset[str]) -> Iterator[str]:
        reference = str(schema.get("$ref", ""))
        if reference in seen:
            return
        inside = seen | ({reference} if reference else set())
        found = _resolved(schema)
        for name, below in sorted((found.get("properties") or {}).items()):
            yield self._field(name, below, level, required=name in (found.get("required") or ()))
            if self._recursive:
                yield from self._fields(below, level + 1, inside)
        for nested in _nested(found, alternatives_first=True):
            yield from self._fields(nested, level, inside)

    def _field(self, name: str, schema: Schema, level: int, *, required: bool) -> str:
        blank = "  " * level
        text = f"{blank}{name}\t<{_type(schema)}>{' -required-' if required else ''}\n"
        words = [_word(word) for word in schema.get("enum") or ()]
        if words:
            more = ", ...." if len(words) > MOST_WORDS else ""
            text += f"{blank}enum: {', '.join(words[:MOST_WORDS])}{more}\n"
        if self._recursive:
            return text
        told = schema.get("description") or "<no description>"
        return f"{text}{_wrapped(told, 78 - 2 * level, 2 * level + 2)}\n\n"


def _resolved(schema: Schema) -> Schema:
    """Return the schema that another refers to; itself if it refers to none."""
    reference = schema.get("$ref")
    if not isinstance(reference, str):
        return schema
    name = reference.removeprefix(REFERENCE)
    return described_component(name) if name in builtin_data.components() else schema


def _nested(schema: Schema, *, alternatives_first: bool = False) -> Iterator[Schema]:
    """Yield the schemas of items, of values, and those of which it is made."""
    alternatives: Sequence[Schema] = schema.get("allOf") or ()
    if alternatives_first:
        yield from alternatives
    for member in ("items", "additionalProperties"):
        if isinstance(schema.get(member), dict):
            yield schema[member]
    if not alternatives_first:
        yield from alternatives


def _descriptions(schema: Schema) -> Iterator[str]:
    found = _resolved(schema)
    if found.get("description"):
        yield f"{found['description']}\n"
    for nested in _nested(found, alternatives_first=True):
        yield from _descriptions(nested)


def _type(schema: Schema) -> str:
    """Return what kubectl calls a type: `string`, `[]Container`, `map[string]string`, `Object`."""
    if schema.get("items"):
        return f"[]{_type(schema['items'])}"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"map[string]{_type(schema['additionalProperties'])}"
    alternatives: Sequence[Schema] = schema.get("allOf") or ()
    if len(alternatives) == 1 and not schema.get("properties"):
        return _type(alternatives[0])
    if "$ref" in schema:
        found = _resolved(schema)
        if found is schema or found.get("type") in (None, "object"):
            return str(schema["$ref"]).rpartition(".")[2] or "Object"
        return str(found["type"])
    kind = schema.get("type")
    return "Object" if kind in (None, "", "object") else str(kind)


def _word(word: Any) -> str:
    return '""' if word == "" else str(word)


def _wrapped(text: str, width: int, indent: int) -> str:
    """Return text in lines of a width, all indented; a longer word has a line of its own."""
    lines: list[str] = []
    for line in text.split("\n"):
        at, blanks = "", ""
        for piece in _pieces(line):
            if piece.isspace():
                blanks = piece
            elif at and len(at) + len(blanks) + len(piece) > width:
                lines.append(at)
                at, blanks = piece, ""
            else:
                at, blanks = f"{at}{blanks}{piece}", ""
        lines.append(f"{at}{blanks}")
    return "\n".join(f"{' ' * indent}{line}" for line in lines)


def _pieces(line: str) -> Iterator[str]:
    """Yield words and the blanks between them."""
    begun = ""
    for letter in line:
        if begun and letter.isspace() != begun[-1].isspace():
            yield begun
            begun = ""
        begun += letter
    if begun:
        yield begun
