"""What is sent back: status, headers, and a body or a stream."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from gitops_sim.apimachinery.yaml_dump import dump
from gitops_sim.errors import ApiError
from gitops_sim.server.media import JSON, YAML, Form

__all__ = ["NOT_FOUND", "Answer", "Stream", "encoded", "json_answer", "refusal", "text_answer"]

_PRIVATE = ("cache-control", "no-cache, private")
_TEXT = "text/plain; charset=utf-8"


class Stream(Protocol):
    """An answer that goes on: a watch."""

    def next_chunks(self) -> Sequence[bytes]:
        """Return what is there to be sent since the last call; nothing blocks."""

    @property
    def ended(self) -> bool:
        """True when nothing more will come."""

    @property
    def seconds(self) -> float:
        """How long the client wants it, in seconds of wall time."""

    def bookmark_times(self) -> Iterator[float]:
        """Yield the seconds after the start at which `bookmark` is to be sent."""

    def bookmark(self) -> bytes:
        """Return a chunk that tells how far the stream has come."""

    def subscribe(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever there may be something new."""

    def close(self) -> None:
        """Stop."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; `stream` replaces `body` for watches."""

    status: int
    content_type: str = JSON
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    stream: Stream | None = field(default=None, compare=False)

    def all_headers(self, warnings: Sequence[str] = ()) -> list[tuple[str, str]]:
        """Return the headers to send, Content-Length aside."""
        told = [("content-type", self.content_type)] if self.content_type else []
        if not any(name == "cache-control" for name, _ in self.headers):
            told.append(_PRIVATE)
        told += self.headers
        told += [("warning", f"299 - {_quoted(text)}") for text in warnings]
        return told


def encoded(value: Any, form: Form) -> bytes:
    """Return an object as it is sent in a form."""
    if form.media_type == YAML:
        return dump(value).encode()
    if form.is_pretty:
        return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
    return compact(value)


def compact(value: Any) -> bytes:
    """Return a value as one line of JSON, with its newline, as Go's encoder writes it."""
    try:
        import orjson
    except ImportError:
        return (json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n").encode()
    try:
        return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # integers beyond 64 bits, which the standard library can write
        return (json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def json_answer(value: Any, *, status: int = 200, headers: Any = ()) -> Answer:
    """Return a JSON answer."""
    return Answer(status, JSON, compact(value), tuple(headers))


def text_answer(text: str, *, status: int = 200) -> Answer:
    """Return a plain text answer."""
    return Answer(status, _TEXT, text.encode(), (("x-content-type-options", "nosniff"),))


def refusal(error: ApiError, form: Form | None = None) -> Answer:
    """Return the Status of a refusal, in the form that the client wants where that is possible."""
    wait = error.details.get("retryAfterSeconds")
    headers = (("retry-after", str(wait)),) if wait else ()
    chosen = Form(form.media_type) if form is not None else Form()
    return Answer(error.code, chosen.media_type, encoded(error.status(), chosen), headers)


NOT_FOUND = text_answer("404 page not found\n", status=404)
"""What the real server's mux says of a path that nobody serves."""


def _quoted(text: str) -> str:
    """Quote a warning as RFC 7234 wants it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
