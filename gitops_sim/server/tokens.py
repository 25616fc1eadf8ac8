"""Who a token belongs to: bearer tokens for the API, the same as passwords for Git.

Source: k8s.io/apiserver, pkg/authentication/token/tokenfile.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Callable, Mapping

from gitops_sim.apiserver.users import ANONYMOUS, MASTERS, User

__all__ = ["ADMIN", "Tokens"]

ADMIN = "admin"
"""The user that a served lab always has; a member of system:masters."""

_AUTHENTICATED = "system:authenticated"


class Tokens:
    """The users of one server, each with a token that is made anew at every start.

    Args:
        users: Names and groups of users beside `admin`.
        accounts: Tells whose a token of a service account is; None for one that is no such token.
    """

    def __init__(
        self, users: Mapping[str, tuple[str, ...]], *, accounts: Callable[[str], User | None]
    ) -> None:
        self._accounts = accounts
        self.by_name: dict[str, str] = {}
        self._users: dict[str, User] = {}
        for number, (name, groups) in enumerate({ADMIN: (MASTERS,), **users}.items()):
            token = secrets.token_urlsafe(32)
            self.by_name[name] = token
            self._users[token] = User(name, (*groups, _AUTHENTICATED), f"uid-{number}")

    def user(self, authorization: str) -> User | None:
        """Return who sends an Authorization header; None for one that nobody has.

        Without a header it is the anonymous user, who may see next to nothing.
        """
        if not authorization:
            return ANONYMOUS
        scheme, _, rest = authorization.partition(" ")
        if scheme.lower() == "bearer":
            return self._known(rest.strip())
        if scheme.lower() == "basic":
            return self._by_password(rest.strip())
        return ANONYMOUS

    def _known(self, token: str) -> User | None:
        return self._users.get(token) or self._accounts(token)

    def _by_password(self, encoded: str) -> User | None:
        """Git sends a user name and the token as password; the name is not looked at."""
        try:
            _, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return self._known(password)
