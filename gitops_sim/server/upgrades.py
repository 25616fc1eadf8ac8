"""Requests to speak WebSocket: answered like any other, and as a WebSocket where that is said.

`kubectl exec` and `attach` open one before the API server calls the kubelet, so that they hear of
an unreachable kubelet on the channel of errors. Everything else is refused over plain HTTP, and a
client tries again without.

Source: RFC 6455; k8s.io/apimachinery, pkg/util/remotecommand (the channels of v4 and v5).
Differs: nothing runs in a container, so that a WebSocket carries one error and ends.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from http import HTTPStatus
from typing import Any

__all__ = ["SWITCHING", "Upgrade"]

SWITCHING = 101
"""The status of an answer that is told as a WebSocket; its body is the error."""

_KEY = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_ERRORS = b"\x03"
_BINARY, _CLOSE = 0x82, 0x88
_NORMAL = (1000).to_bytes(2, "big")


class Upgrade(asyncio.Protocol):
    """One connection that asked to speak WebSocket, handed over by uvicorn.

    Args:
        config: Has the application.
        server_state, app_state: Uvicorn's; not needed.
    """

    def __init__(self, config: Any, server_state: Any, app_state: Any) -> None:
        del server_state, app_state
        self._app = config.loaded_app
        self._transport: Any = None
        self._task: asyncio.Task[None] | None = None
        self._gone = asyncio.Event()
        self._headers: dict[bytes, bytes] = {}
        self._status = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over the connection."""
        self._transport = transport

    def connection_lost(self, _: Exception | None) -> None:
        """Stop answering."""
        self._gone.set()
        if self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        """Answer the request; what the client says later is for a process, of which there is none.

        Uvicorn hands over the request alone, whole.
        """
        if self._task is not None:
            return
        head, *lines = data.split(b"\r\n\r\n")[0].split(b"\r\n")
        method, target, _ = head.split(b" ")
        path, _, query = target.partition(b"?")
        pairs = [line.partition(b": ") for line in lines]
        headers = [(name.lower(), value) for name, _, value in pairs]
        self._headers = dict(headers)
        scope = {
            "type": "http",
            "method": method.decode(),
            "path": path.decode("latin-1"),
            "raw_path": path,
            "query_string": query,
            "headers": headers,
        }
        self._task = asyncio.ensure_future(self._answer(scope))

    async def _answer(self, scope: dict[str, Any]) -> None:
        asked = False

        async def receive() -> dict[str, Any]:
            nonlocal asked
            if asked:
                await self._gone.wait()
                return {"type": "http.disconnect"}
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}

        await self._app(scope, receive, self._send)
        self._transport.close()

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._transport.write(self._head(message["headers"]))
        elif self._status == SWITCHING:
            self._transport.write(_frame(_BINARY, _ERRORS + message["body"]))
            self._transport.write(_frame(_CLOSE, _NORMAL))
        else:
            self._transport.write(message["body"])

    def _head(self, headers: list[tuple[bytes, bytes]]) -> bytes:
        lines = [f"HTTP/1.1 {self._status} {HTTPStatus(self._status).phrase}".encode()]
        if self._status == SWITCHING:
            digest = hashlib.sha1(  # noqa: S324 - what the protocol asks for
                self._headers.get(b"sec-websocket-key", b"") + _KEY
            ).digest()
            offered = self._headers.get(b"sec-websocket-protocol", b"").split(b",")
            lines += [b"upgrade: websocket", b"connection: Upgrade"]
            lines += [b"sec-websocket-accept: " + base64.b64encode(digest)]
            lines += [b"sec-websocket-protocol: " + offered[0].strip()]
        else:
            lines += [b"%s: %s" % header for header in headers]
            lines += [b"connection: close"]
        return b"\r\n".join([*lines, b"", b""])


def _frame(kind: int, payload: bytes) -> bytes:
    """Return one frame as a server sends it: whole, and not masked."""
    size = len(payload)
    if size < 126:
        return bytes((kind, size)) + payload
    return bytes((kind, 126)) + size.to_bytes(2, "big") + payload
