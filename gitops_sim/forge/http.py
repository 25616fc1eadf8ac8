"""Git over HTTP, without a socket: a request comes in as values, the answer goes out as values.

A server mounts `GitHttp.handle` somewhere, checks who is asking, and passes on the rest of the
path. What Git's "smart" protocol says inside is in `fetching` and `receiving`.

Source: git, Documentation/gitprotocol-http and http-backend.c.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qs, unquote

from gitops_sim.errors import GitError, LabError
from gitops_sim.forge.fetching import advertise, upload_pack
from gitops_sim.forge.packs import MAX_PACK_BYTES
from gitops_sim.forge.pktlines import FLUSH, pkt
from gitops_sim.forge.receiving import CAPABILITIES, receive_pack
from gitops_sim.forge.repository import Repository

__all__ = ["GitHttp", "HttpRequest", "HttpResponse"]

FETCH, PUSH = "git-upload-pack", "git-receive-pack"
_GZIP = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request: `path` below the mount point (`/shop.git/info/refs`), header names lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An answer: status, headers, whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Host(Protocol):
    """What is needed of a forge."""

    down: bool

    def repository(self, name: str) -> Repository:
        """Return a repository by name; LabError when there is none."""


class GitHttp:
    """Answers Git clients for one forge."""

    def __init__(self, forge: _Host) -> None:
        self._forge = forge

    def handle(self, request: HttpRequest, user: str) -> HttpResponse:
        """Answer one request; whatever is in it, this never raises for it.

        Args:
            request: What was asked.
            user: Who asks, as the server knows them; moves branches under that name.
        """
        if self._forge.down:
            return _text(503, "the forge is down")
        name, _, rest = unquote(request.path).strip("/").partition("/")
        try:
            repository = self._forge.repository(name.removesuffix(".git"))
        except LabError:
            return _text(404, "Repository not found.")
        try:
            return self._answer(repository, rest, request, user)
        except GitError as error:
            return _text(400, str(error))

    def _answer(
        self, repository: Repository, rest: str, request: HttpRequest, user: str
    ) -> HttpResponse:
        if rest == "info/refs":
            return _refs(repository, request)
        if rest not in (FETCH, PUSH):
            return _text(404, "Not found: this is a Git server.")
        if request.method != "POST":
            return _text(405, "Method not allowed.", {"Allow": "POST"})
        if request.headers.get("content-type") != f"application/x-{rest}-request":
            return _text(415, f"Unsupported media type: want application/x-{rest}-request.")
        body = _body(request)
        if rest == FETCH:
            answer = upload_pack(repository, body)
        else:
            answer = receive_pack(repository, body, user)
        return HttpResponse(200, _headers(f"application/x-{rest}-result"), answer)


def _refs(repository: Repository, request: HttpRequest) -> HttpResponse:
    if request.method not in ("GET", "HEAD"):
        return _text(405, "Method not allowed.", {"Allow": "GET, HEAD"})
    service = parse_qs(request.query).get("service", [""])[0]
    if service == FETCH:
        refs = advertise(repository)
    elif service == PUSH:
        refs = advertise(repository, CAPABILITIES, for_push=True)
    else:
        return _text(403, "Please upgrade your git client: the dumb protocol is not served.")
    body = pkt(f"# service={service}\n") + FLUSH + refs
    return HttpResponse(200, _headers(f"application/x-{service}-advertisement"), body)


def _body(request: HttpRequest) -> bytes:
    """Return the body, inflated if it came compressed, as large requests of git do."""
    encoding = request.headers.get("content-encoding", "identity")
    if encoding == "identity":
        return request.body
    if encoding not in ("gzip", "x-gzip"):
        raise GitError(f"content encoding {encoding} is not supported")
    engine = zlib.decompressobj(_GZIP)
    try:
        body = engine.decompress(request.body, MAX_PACK_BYTES)
    except zlib.error as error:
        raise GitError(f"the body is not gzip: {error}") from None
    if not engine.eof:
        raise GitError("the body is cut off or too large")
    return body


def _headers(content_type: str) -> dict[str, str]:
    return {"Content-Type": content_type, "Cache-Control": "no-cache, max-age=0, must-revalidate"}


def _text(status: int, message: str, headers: Mapping[str, str] | None = None) -> HttpResponse:
    shown = {**_headers("text/plain; charset=utf-8"), **(headers or {})}
    return HttpResponse(status, shown, f"{message}\n".encode())
