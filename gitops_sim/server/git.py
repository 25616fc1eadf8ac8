"""Real Git clients at a served lab: `/git/<repository>.git`, with a token as the password.

The token is handed over by a credential helper that Git asks, set in the environment with the
lab's certificate authority: it is never part of a URL or of a process's arguments.
"""

from __future__ import annotations

import shlex
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from gitops_sim.apiserver.users import ANONYMOUS, User
from gitops_sim.errors import TooLargeError
from gitops_sim.forge import HttpRequest, HttpResponse
from gitops_sim.server.answers import Answer, text_answer
from gitops_sim.server.application import (
    Gate,
    Receive,
    Scope,
    Send,
    read_body,
    read_headers,
    send_answer,
    turned_away,
)
from gitops_sim.server.tokens import Tokens

__all__ = ["MOUNT", "GitApplication", "git_environment", "mounted"]

MOUNT = "/git"
"""Where Git is on the server of the first cluster."""
MOST_BYTES = 100 * 1024**2
"""The largest request: a push is one body."""

_CHALLENGE = (("www-authenticate", 'Basic realm="gitops-sim"'),)

Asgi: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
Respond: TypeAlias = Callable[[HttpRequest, str], HttpResponse]


def mounted(application: Asgi, git: GitApplication) -> Asgi:
    """Return an application that hands what is below `/git` to another one."""

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        is_git = scope["type"] == "http" and scope["path"].startswith(f"{MOUNT}/")
        await (git if is_git else application)(scope, receive, send)

    return dispatch


class GitApplication:
    """The ASGI application below `/git`.

    Args:
        respond: From a request and who asks to an answer; runs under the lock.
        tokens: Tells who asks.
        gate: Has the lock.
        hosts: What the Host header may be.
    """

    def __init__(self, respond: Respond, tokens: Tokens, gate: Gate, hosts: frozenset[str]) -> None:
        self._respond = respond
        self._tokens = tokens
        self._gate = gate
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = read_headers(scope)
        refused, user = self._checked(headers)
        if refused is not None:
            await send_answer(refused, [], send, body=scope["method"] != "HEAD")
            return
        try:
            body = await read_body(receive, MOST_BYTES)
        except TooLargeError as error:
            await send_answer(text_answer(f"{error}\n", status=413), [], send, body=True)
            return
        except ConnectionError:
            return
        request = HttpRequest(
            scope["method"],
            scope["raw_path"].decode("latin-1").removeprefix(MOUNT),
            scope["query_string"].decode("latin-1"),
            headers,
            body,
        )
        found = await self._gate.run(lambda: self._respond(request, user.name))
        told = tuple((name.lower(), value) for name, value in found.headers.items())
        answer = Answer(found.status, "", found.body, told)
        await send_answer(answer, [], send, body=scope["method"] != "HEAD")

    def _checked(self, headers: Mapping[str, str]) -> tuple[Answer | None, User]:
        """Return a refusal, or None and who asks."""
        refused = turned_away(headers, self._hosts)
        user = self._tokens.user(headers.get("authorization", ""))
        if refused is None and user in (None, ANONYMOUS):
            refused = Answer(401, "text/plain; charset=utf-8", b"Unauthorized\n", _CHALLENGE)
        return refused, user or ANONYMOUS


def git_environment(url: str, user: str, authority: Path, token: Path) -> dict[str, str]:
    """Return variables by which Git trusts and is trusted at one URL, and nowhere else.

    `GIT_SSL_CAINFO` must not be set beside them: it goes before what is set for a URL.

    Args:
        url: Of the server: `https://127.0.0.1:8443`.
        user: Whose token it is.
        authority: A file with the lab's certificate authority.
        token: A file with the token that only its owner may read.

    Source: git, git-config(1) (GIT_CONFIG_COUNT) and gitcredentials(7).
    """
    give = f'test "$1" = get && echo username={shlex.quote(user)} && '
    give += f'echo "password=$(cat {shlex.quote(str(token))})"'
    settings = {
        f"http.{url}/.sslCAInfo": str(authority),
        f"credential.{url}.helper": f"!f() {{ {give}; }}; f",
    }
    variables = {"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings.items()):
        variables[f"GIT_CONFIG_KEY_{number}"] = key
        variables[f"GIT_CONFIG_VALUE_{number}"] = value
    return variables
