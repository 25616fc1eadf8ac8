"""The ASGI application of one cluster: who may knock, bodies, answers and streams.

Source: the ASGI specification 3.0; k8s.io/apiserver for what is answered.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeAlias, TypeVar

from gitops_sim.apiserver.users import User
from gitops_sim.errors import ApiError, TooLargeError, UnauthorizedError
from gitops_sim.server.answers import Answer, Stream, refusal, text_answer
from gitops_sim.server.bodies import MOST_BYTES
from gitops_sim.server.requests import Request
from gitops_sim.server.tokens import Tokens

__all__ = [
    "Application",
    "Gate",
    "Lock",
    "Receive",
    "Scope",
    "Send",
    "read_body",
    "read_headers",
    "send_answer",
    "turned_away",
]

Scope: TypeAlias = Mapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[dict[str, Any]]]
Send: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]
T = TypeVar("T")


class Lock(Protocol):
    """A re-entrant lock of threads."""

    def acquire(self, blocking: bool = ..., timeout: float = ...) -> bool:  # noqa: FBT001
        """Take it."""

    def release(self) -> None:
        """Give it back."""


class Gate:
    """Runs short work under the lab's lock, on the loop if it is free, else beside it.

    A long step of the clock thus never holds up the loop, only those who wait for an answer.
    """

    def __init__(self, lock: Lock) -> None:
        self._lock = lock

    async def run(self, work: Callable[[], T], *, waits: bool = False) -> T:
        """Return what the work returns.

        Args:
            work: Is done under the lock.
            waits: It may let go of the lock and wait, which the loop must not.
        """
        if not waits and self._lock.acquire(blocking=False):
            try:
                return work()
            finally:
                self._lock.release()
        return await asyncio.get_running_loop().run_in_executor(None, self._wait_for, work)

    def _wait_for(self, work: Callable[[], T]) -> T:
        self._lock.acquire()
        try:
            return work()
        finally:
            self._lock.release()


class Application:
    """Answers HTTP for one cluster.

    Args:
        respond: From a request to an answer and warnings; runs under the lock.
        tokens: Tells who asks.
        gate: Has the lock.
        hosts: What the Host header may be: anything else is a page of another origin that makes
            a browser ask here.
        may_wait: Tells whether an answer may have to wait for a webhook.
    """

    def __init__(
        self,
        respond: Callable[[Request], tuple[Answer, list[str]]],
        tokens: Tokens,
        gate: Gate,
        hosts: frozenset[str],
        *,
        may_wait: Callable[[], bool],
    ) -> None:
        self._respond = respond
        self._may_wait = may_wait
        self._tokens = tokens
        self._gate = gate
        self._hosts = hosts
        self._closing = asyncio.Event()

    def close_streams(self) -> None:
        """End all watches: the server stops."""
        self._closing.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise RuntimeError(f"{scope['type']} is not served")
        headers = read_headers(scope)
        try:
            answer, warnings = await self._answer(scope, headers, receive)
        except ConnectionError:
            return
        if answer.stream is not None and scope["method"] != "HEAD":
            await self._stream(answer, answer.stream, warnings, receive, send)
        else:
            await send_answer(answer, warnings, send, body=scope["method"] != "HEAD")

    async def _answer(
        self, scope: Scope, headers: Mapping[str, str], receive: Receive
    ) -> tuple[Answer, list[str]]:
        refused = turned_away(headers, self._hosts)
        if refused is not None:
            return refused, []
        try:
            user = self._user(headers)
            body = await read_body(receive)
        except ApiError as error:
            return refusal(error), []
        request = Request(
            user,
            scope["method"],
            scope["raw_path"].decode("latin-1"),
            scope["query_string"].decode("latin-1"),
            headers,
            body,
        )
        return await self._gate.run(lambda: self._respond(request), waits=self._may_wait())

    def _user(self, headers: Mapping[str, str]) -> User:
        user = self._tokens.user(headers.get("authorization", ""))
        if user is None:
            raise UnauthorizedError("Unauthorized")
        return user

    async def _stream(
        self,
        answer: Answer,
        stream: Stream,
        warnings: list[str],
        receive: Receive,
        send: Send,
    ) -> None:
        loop, news = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            loop.call_soon_threadsafe(news.set)

        await self._gate.run(lambda: stream.subscribe(wake))
        gone = asyncio.ensure_future(_until_gone(receive))
        closing = asyncio.ensure_future(self._closing.wait())
        try:
            await send(_start(answer, warnings, None))
            await self._send_events(stream, news, (gone, closing), send)
            if not gone.done():
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()
            closing.cancel()
            await self._gate.run(stream.close)

    async def _send_events(
        self,
        stream: Stream,
        news: asyncio.Event,
        ends: tuple[asyncio.Future[Any], ...],
        send: Send,
    ) -> None:
        loop = asyncio.get_running_loop()
        began, marks = loop.time(), stream.bookmark_times()
        deadline, due = began + stream.seconds, began + next(marks, math.inf)
        while not any(end.done() for end in ends):
            news.clear()
            chunks = [*await self._gate.run(stream.next_chunks, waits=self._may_wait())]
            now = loop.time()
            if due <= now < deadline:
                chunks.append(await self._gate.run(stream.bookmark))
                due = began + next(marks, math.inf)
            for chunk in chunks:
                if chunk:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            if stream.ended or now >= deadline:
                return
            if not chunks:
                waiting = asyncio.ensure_future(news.wait())
                await asyncio.wait(
                    (waiting, *ends),
                    timeout=min(deadline, due) - now,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                waiting.cancel()


def turned_away(headers: Mapping[str, str], hosts: frozenset[str]) -> Answer | None:
    """Return a refusal for what cannot come from a client of the lab's own user."""
    if headers.get("host", "").lower() not in hosts:
        return text_answer("this server does not answer to that name\n", status=421)
    if "origin" in headers:
        return text_answer("pages of other origins are not served\n", status=403)
    return None


def read_headers(scope: Scope) -> dict[str, str]:
    """Return the headers, names in lower case."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]},{text}" if key in found else text
    return found


async def read_body(receive: Receive, most: int = MOST_BYTES) -> bytes:
    """Return the whole body; refuse it as soon as it is too large.

    Raises:
        TooLargeError: It is.
        ConnectionError: The client went before it was all there.
    """
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError
        part = message.get("body", b"")
        size += len(part)
        if size > most:
            raise TooLargeError(f"Request entity too large: limit is {most}")
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _start(answer: Answer, warnings: list[str], length: int | None) -> dict[str, Any]:
    headers = [(name.encode(), value.encode()) for name, value in answer.all_headers(warnings)]
    if length is not None:
        headers.append((b"content-length", str(length).encode()))
    return {"type": "http.response.start", "status": answer.status, "headers": headers}


async def send_answer(answer: Answer, warnings: list[str], send: Send, *, body: bool) -> None:
    """Send a whole answer."""
    await send(_start(answer, warnings, len(answer.body)))
    sent = answer.body if body else b""
    await send({"type": "http.response.body", "body": sent, "more_body": False})
