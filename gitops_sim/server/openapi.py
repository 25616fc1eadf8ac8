"""`/openapi`: the index of the v3 documents with their hashes, each document, and the v2 one.

Source: k8s.io/kube-openapi, pkg/handler3 and pkg/handler.
"""

from __future__ import annotations

import hashlib

from gitops_sim.apiserver.definitions import DEFINITIONS
from gitops_sim.apiserver.openapi import document_names, document_v2, document_v3
from gitops_sim.apiserver.server import ApiServer
from gitops_sim.server.answers import NOT_FOUND, Answer, compact
from gitops_sim.server.gnostic import CONTENT_TYPE, encode_document
from gitops_sim.server.media import JSON
from gitops_sim.server.requests import Request

__all__ = ["Documents"]

_TEXT = "text/plain; charset=utf-8"
_FOREVER = "public, immutable"


class Documents:
    """The OpenAPI documents of one server, kept until its definitions change."""

    def __init__(self, server: ApiServer) -> None:
        self._server = server
        self._kept: dict[str, tuple[int, bytes, str]] = {}

    def serve(self, request: Request, steps: list[str]) -> Answer:
        """Answer a request below `/openapi`."""
        if steps == ["v2"]:
            accepted = request.header("accept")
            is_protobuf = CONTENT_TYPE in accepted and JSON not in accepted
            body, digest = self._document("v2.pb" if is_protobuf else "v2")
            kind = "application/octet-stream" if is_protobuf else JSON
            return _tagged(request, body, digest, kind)
        if not steps or steps[0] != "v3":
            return NOT_FOUND
        name = "/".join(steps[1:])
        names = document_names(self._server)
        if not name:
            index = {known: {"serverRelativeURL": self._address(known)} for known in names}
            return Answer(200, _TEXT, compact({"paths": index}))
        if name not in names:
            return Answer(404, "")
        return _tagged(request, *self._document(name), JSON)

    def _address(self, name: str) -> str:
        return f"/openapi/v3/{name}?hash={self._document(name)[1]}"

    def _document(self, name: str) -> tuple[bytes, str]:
        """Return a document and its hash."""
        log = self._server.store.table(DEFINITIONS).log
        version = log[-1].revision if log else 0
        found = self._kept.get(name)
        if found is None or found[0] != version:
            body = self._made(name)
            digest = hashlib.sha512(body).hexdigest().upper()
            found = self._kept[name] = (version, body, digest)
        return found[1], found[2]

    def _made(self, name: str) -> bytes:
        if name == "v2":
            return compact(document_v2(self._server))
        if name == "v2.pb":
            return encode_document(document_v2(self._server))
        return compact(document_v3(self._server, name))


def _tagged(request: Request, body: bytes, digest: str, kind: str) -> Answer:
    tag = f'"{digest}"'
    headers = [("etag", tag), ("vary", "Accept")]
    if request.parameter("hash") == digest:
        headers.append(("cache-control", _FOREVER))
    if request.header("if-none-match") == tag:
        return Answer(304, "", b"", tuple(headers))
    return Answer(200, kind, body, tuple(headers))
