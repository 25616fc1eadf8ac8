"""Tokens of service accounts: issued by the token subresource, and known again.

Source: k8s.io/kubernetes, pkg/serviceaccount and pkg/registry/core/serviceaccount/storage/token.go.
Differs: signed with a key of the served lab (HS256), not with a key pair; a token that nobody
bound lives as long as it says in virtual time, and ends with the server.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from datetime import datetime
from typing import Any

from gitops_sim.apimachinery import causes
from gitops_sim.apimachinery.status_errors import generic_invalid, not_found
from gitops_sim.apiserver.server import ApiServer
from gitops_sim.apiserver.store import Kind
from gitops_sim.apiserver.users import User
from gitops_sim.types import Manifest

__all__ = ["AccountTokens"]

_ACCOUNTS = Kind("", "ServiceAccount")
_LEAST, _MOST, _USUAL = 600, 1 << 32, 3600
_ISSUER = "https://kubernetes.default.svc.cluster.local"


class AccountTokens:
    """Issues and recognises the tokens of one cluster's service accounts."""

    def __init__(self, server: ApiServer) -> None:
        self._server = server
        self._key = secrets.token_bytes(32)

    def issue(self, namespace: str, name: str, request: Manifest) -> Manifest:
        """Return a TokenRequest with its token.

        Raises:
            NotFoundError: There is no such account.
            InvalidError: The lifetime is out of bounds.
        """
        account = self._server.store.get(_ACCOUNTS, namespace, name)
        if account is None:
            raise not_found(self._server.kinds.lookup("v1/ServiceAccount"), name)
        spec = dict(request.get("spec") or {})
        seconds = spec["expirationSeconds"] = spec.get("expirationSeconds") or _USUAL
        spec["audiences"] = spec.get("audiences") or [_ISSUER]
        _check_lifetime(seconds)
        now = self._now()
        ends = self._server.clock.now() + seconds
        claims = {
            "aud": spec["audiences"],
            "exp": now + seconds,
            "iat": now,
            "iss": _ISSUER,
            "jti": self._server.clock.uid("token"),
            "kubernetes.io": {
                "namespace": namespace,
                "serviceaccount": {"name": name, "uid": account["metadata"]["uid"]},
            },
            "nbf": now,
            "sub": f"system:serviceaccount:{namespace}:{name}",
        }
        token = self._signed(claims)
        status = {"token": token, "expirationTimestamp": self._server.clock.timestamp(ends)}
        metadata = {
            "name": name,
            "namespace": namespace,
            "creationTimestamp": self._server.clock.timestamp(),
        }
        return {
            "kind": "TokenRequest",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": metadata,
            "spec": spec,
            "status": status,
        }

    def user(self, token: str) -> User | None:
        """Return whose a token is; None when it is none, has ended, or its account is gone."""
        head, _, signature = token.rpartition(".")
        # Bytes: two texts that are not ASCII cannot be compared.
        given = signature.encode("utf-8", "surrogateescape")
        if not head or not hmac.compare_digest(self._signature(head).encode(), given):
            return None
        payload = head.partition(".")[2]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        about = claims["kubernetes.io"]
        namespace, name = about["namespace"], about["serviceaccount"]["name"]
        account = self._server.store.get(_ACCOUNTS, namespace, name)
        if account is None or account["metadata"]["uid"] != about["serviceaccount"]["uid"]:
            return None
        if claims["exp"] < self._now():
            return None
        groups = (
            "system:serviceaccounts",
            f"system:serviceaccounts:{namespace}",
            "system:authenticated",
        )
        return User(claims["sub"], groups, about["serviceaccount"]["uid"])

    def _now(self) -> int:
        """Return the virtual moment in seconds since 1970, as claims have it."""
        return int(datetime.fromisoformat(self._server.clock.timestamp()).timestamp())

    def _signed(self, claims: dict[str, Any]) -> str:
        parts = [_encoded({"alg": "HS256", "typ": "JWT"}), _encoded(claims)]
        head = ".".join(parts)
        return f"{head}.{self._signature(head)}"

    def _signature(self, head: str) -> str:
        digest = hmac.new(self._key, head.encode("utf-8", "surrogateescape"), hashlib.sha256)
        return base64.urlsafe_b64encode(digest.digest()).decode().rstrip("=")


def _check_lifetime(seconds: int) -> None:
    if seconds < _LEAST:
        detail = "may not specify a duration less than 10 minutes"
    elif seconds > _MOST:
        detail = "may not specify a duration larger than 2^32 seconds"
    else:
        return
    cause = causes.invalid("spec.expirationSeconds", seconds, detail)
    raise generic_invalid("authentication.k8s.io", "TokenRequest", "", [cause])


def _encoded(value: Any) -> str:
    text = json.dumps(value, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
