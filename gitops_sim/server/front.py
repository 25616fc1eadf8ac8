"""The front of one served cluster: from a request to an answer, without any transport.

Whatever may change the cluster goes through the lab's door, so that a saved lab replays what tools
did to it; reads do not, they leave no trace.

Source: k8s.io/apiserver, pkg/server/config.go (DefaultBuildHandlerChain).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitops_sim.apiserver.server import ApiServer
from gitops_sim.apiserver.users import Caller, User
from gitops_sim.clock import Door, outside
from gitops_sim.errors import ApiError, InternalError, TooLargeError
from gitops_sim.journal.facts import RequestAudited
from gitops_sim.server.accounts import AccountTokens
from gitops_sim.server.answers import Answer, refusal
from gitops_sim.server.authorization import acting_user, authorize
from gitops_sim.server.beside import Beside, Logs, no_logs
from gitops_sim.server.bodies import MOST_BYTES
from gitops_sim.server.media import negotiate
from gitops_sim.server.metrics import Metrics
from gitops_sim.server.nonresource import serve_path
from gitops_sim.server.openapi import Documents
from gitops_sim.server.options import check_timeout, field_validation
from gitops_sim.server.requests import Request, Wanted, wanted_by
from gitops_sim.server.verbs import serve_resource

__all__ = ["Front"]


class Front:
    """What answers the requests for one cluster.

    Args:
        server: The API server in process.
        door: The lab's door; None for a server without a lab.
        logs: Where the logs of its containers are.
    """

    def __init__(self, server: ApiServer, door: Door | None, *, logs: Logs = no_logs) -> None:
        self.server = server
        self.accounts = AccountTokens(server)
        self._beside = Beside(Metrics(server), Documents(server), self.accounts, logs)
        self._door = door
        self._address = f"server/{server.name}"
        if door is not None:
            door.register(self._address, self)
            server.webhooks.ask = door.ask

    def respond(self, request: Request) -> tuple[Answer, list[str]]:
        """Answer a request; return warnings beside it. The lock of the door is held meanwhile."""
        if request.method in ("GET", "HEAD", "OPTIONS"):
            return self._respond(request, self._caller(request))
        return self.write(
            request.user.to_json(),
            request.method,
            [request.path, request.query_text],
            {name: text for name, text in request.headers.items() if _matters(name)},
            request.body,
        )

    def may_wait(self) -> bool:
        """True when an answer may have to wait for somebody outside of the lab."""
        return self.server.webhooks.are_there

    @outside
    def write(
        self,
        user: Mapping[str, Any],
        method: str,
        target: list[str],
        headers: dict[str, str],
        body: bytes,
    ) -> tuple[Answer, list[str]]:
        """Answer a request that may change something: the form in which the door logs it."""
        path, query = target
        request = Request(User.from_json(user), method, path, query, headers, body)
        caller = self._caller(request)
        answer, warnings = self._respond(request, caller)
        self.server.journal.record(_audited(self.server.name, request, caller, answer.status))
        return answer, warnings

    @staticmethod
    def _caller(request: Request) -> Caller:
        return Caller(request.user, field_validation(request), agent=request.header("user-agent"))

    def _respond(self, request: Request, caller: Caller) -> tuple[Answer, list[str]]:
        wanted = wanted_by(request)
        with self.server.called_by(caller):
            try:
                if not wanted.is_long_running:
                    check_timeout(request)
                caller.user = acting_user(self.server, request, wanted)
                authorize(self.server, caller.user, wanted)
                answer = self._route(request.of(caller.user), wanted)
            except ApiError as error:
                answer = self._refused(request, error)
            except RecursionError:
                answer = self._refused(request, InternalError("exceeded max depth"))
        self._beside.metrics.count(wanted, request.method, answer.status)
        return answer, caller.warnings

    def _route(self, request: Request, wanted: Wanted) -> Answer:
        if len(request.body) > MOST_BYTES:
            raise TooLargeError(f"Request entity too large: limit is {MOST_BYTES}")
        if wanted.is_resource and self.server.kinds.has_group(wanted.group):
            return serve_resource(self.server, request, wanted, self._beside)
        return serve_path(self.server, request, wanted, self._beside)

    @staticmethod
    def _refused(request: Request, error: ApiError) -> Answer:
        try:
            return refusal(error, negotiate(request.header("accept")))
        except ApiError:
            return refusal(error)


def _matters(header: str) -> bool:
    """Tell whether a header changes what a write does: only these are logged, tokens never."""
    return header in ("accept", "content-type", "user-agent") or header.startswith("impersonate-")


def _audited(cluster: str, request: Request, caller: Caller, code: int) -> RequestAudited:
    """Return the entry of the audit log for a request that was answered."""
    wanted = wanted_by(request)
    resource = wanted.path
    if wanted.is_resource:
        resource = f"{wanted.resource}.{wanted.group}" if wanted.group else wanted.resource
        resource += f"/{wanted.subresource}" if wanted.subresource else ""
    sender, actor = request.user.name, caller.user.name
    return RequestAudited(
        cluster,
        actor,
        "" if sender == actor else sender,
        wanted.verb,
        resource,
        wanted.namespace,
        wanted.name,
        code,
        tuple(sorted(caller.annotations.items())),
    )
