"""Which form the client wants: Accept headers, as the real server reads them.

Source: k8s.io/apiserver, pkg/endpoints/handlers/negotiation; munnerz/goautoneg.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from gitops_sim.errors import NotAcceptableError

__all__ = ["JSON", "STREAMS", "YAML", "Form", "as_told", "negotiate", "refuse_unless_produced"]

JSON = "application/json"
YAML = "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
_OBJECTS = (JSON, YAML, PROTOBUF)
STREAMS = (f"{JSON};stream=watch", f"{PROTOBUF};stream=watch")
_META = "meta.k8s.io"
_QUALITY = re.compile(r"[0-9.]+")

Convertible: TypeAlias = Sequence[tuple[str, str, str]]
"""Group, version and kind of the forms that may be asked for by `as`, besides the object."""


@dataclass(frozen=True, slots=True)
class Form:
    """What is sent: a media type, and the kind that the object is turned into, if any."""

    media_type: str = JSON
    kind: str = ""
    group: str = ""
    version: str = ""
    is_pretty: bool = False

    @property
    def content_type(self) -> str:
        """The Content-Type header of an answer in this form."""
        return self.media_type


@dataclass(frozen=True, slots=True)
class _Clause:
    type: str
    subtype: str
    quality: float
    parameters: tuple[tuple[str, str], ...]

    def covers(self, media_type: str) -> bool:
        kind, _, subtype = media_type.partition("/")
        return (self.type, self.subtype) in ((kind, subtype), (kind, "*"), ("*", "*"))


def negotiate(
    accept: str, convertible: Convertible = (), *, readable: Sequence[str] = (JSON, YAML)
) -> Form:
    """Return the first form in the client's order that the server can send.

    Raises:
        NotAcceptableError: There is none.

    Differs: answers are never protobuf; a client that asks for it alone is refused.
    """
    if not accept:
        return Form()
    for clause in _clauses(accept):
        for media_type in readable:
            form = _form(clause, media_type, convertible) if clause.covers(media_type) else None
            if form is not None:
                return form
    raise NotAcceptableError(f"only the following media types are accepted: {', '.join(_OBJECTS)}")


def refuse_unless_produced(accept: str, *, streams: bool) -> None:
    """Refuse a client that accepts nothing that a route sends, whatever the parameters.

    Args:
        accept: The header.
        streams: True for collections, which may be watched.

    Raises:
        NotAcceptableError: Worded by the router, before any object is looked at.
    """
    produced = (*_OBJECTS, *STREAMS) if streams else _OBJECTS
    for part in accept.split(",") if accept else ():
        wanted = part.partition(";")[0].strip()
        if wanted in ("*/*", "") or wanted in produced:
            return
    if accept:
        raise NotAcceptableError(
            "406: Not Acceptable\n\nAvailable representations: " + ", ".join(produced), {}
        )


def as_told(form: Form) -> str:
    """Return the Content-Type of a discovery answer, which repeats what was asked for."""
    if not form.kind:
        return form.media_type
    return f"{form.media_type};g={form.group};v={form.version};as={form.kind}"


def _form(clause: _Clause, media_type: str, convertible: Convertible) -> Form | None:
    told = dict(clause.parameters)
    kind = (told.get("g", ""), told.get("v", ""), told.get("as", ""))
    if told.get("stream") not in (None, "", "watch"):
        return None
    if any(kind) and (kind not in convertible or media_type == YAML):
        return None
    group, version, name = kind
    return Form(media_type, name, group, version, told.get("pretty") == "1")


def _clauses(accept: str) -> list[_Clause]:
    found = []
    for part in accept.split(","):
        name, *settings = (piece.strip() for piece in part.split(";"))
        kind, _, subtype = name.partition("/")
        parameters, quality = [], 1.0
        for setting in settings:
            key, _, value = setting.partition("=")
            if key == "q":
                quality = float(value) if _QUALITY.fullmatch(value) and value != "." else 1.0
            else:
                parameters.append((key, value.strip('"')))
        if kind == "*" and not subtype:
            subtype = "*"
        if subtype:
            found.append(_Clause(kind, subtype, quality, tuple(parameters)))
    # Stable: what the client wrote first comes first among equals, exact types before ranges.
    found.sort(key=lambda clause: (-clause.quality, clause.type == "*", clause.subtype == "*"))
    return found
