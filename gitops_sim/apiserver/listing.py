"""Lists: pages, versions of the past, and what their options may say.

A page's continue token names the revision of the first page and the last key seen, so that later
pages show the same moment whatever is written in between.

Source: k8s.io/apiserver, pkg/storage/etcd3/store.go and pkg/storage/continue.go.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from gitops_sim.apimachinery import causes
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.go_json import GoJsonError, parse
from gitops_sim.apimachinery.kinds import ResourceType
from gitops_sim.apimachinery.status_errors import invalid_options, too_large_resource_version
from gitops_sim.apiserver.server import ApiServer, storage_kind
from gitops_sim.apiserver.watching import Filter
from gitops_sim.errors import BadRequestError, ExpiredError
from gitops_sim.types import Manifest

__all__ = ["ListOptions", "Page", "list_page", "parse_version"]

_FORM = "meta.k8s.io/v1"
_EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You can "
    "start a new list without the continue parameter, or use the continue token in this response "
    "to retrieve the remainder of the results. Continuing with the provided token results in an "
    "inconsistent list - objects that were created, modified, or deleted between the time the "
    "first chunk was returned and now may show up in the list."
)
_LATEST = -1
"""Revision in a token that goes on with what is there now."""


@dataclass(frozen=True, slots=True)
class ListOptions:
    """What a list or watch asks for; the texts are those of the query."""

    limit: int = 0
    continue_token: str = ""
    resource_version: str = ""
    match: str = ""
    watch: bool = False
    send_initial_events: bool | None = None

    def check(self) -> None:
        """Refuse combinations that the server refuses.

        Raises:
            InvalidError: Its causes name the options.
        """
        found = list(self._problems())
        if found:
            raise invalid_options("ListOptions", found)

    def _problems(self) -> list[Cause]:
        field = "resourceVersionMatch"
        if self.watch:
            return self._watch_problems()
        found = []
        if self.send_initial_events is not None:
            found.append(
                causes.forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list")
            )
        if not self.match:
            return found
        if not self.resource_version:
            found.append(
                causes.forbidden(field, f"{field} is forbidden unless resourceVersion is provided")
            )
        if self.continue_token:
            found.append(causes.forbidden(field, f"{field} is forbidden when continue is provided"))
        if self.match not in ("Exact", "NotOlderThan"):
            found.append(causes.not_supported(field, self.match, ("Exact", "NotOlderThan", "")))
        elif self.match == "Exact" and self.resource_version == "0":
            found.append(
                causes.forbidden(field, f'{field} "exact" is forbidden for resourceVersion "0"')
            )
        return found

    def _watch_problems(self) -> list[Cause]:
        field = "resourceVersionMatch"
        found = []
        if self.match and self.send_initial_events is None:
            found.append(
                causes.forbidden(
                    field,
                    f"{field} is forbidden for watch unless sendInitialEvents is provided",
                )
            )
        if self.send_initial_events is not None and not self.match:
            found.append(
                causes.forbidden(
                    field, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
                )
            )
        if self.match and self.match != "NotOlderThan":
            if self.send_initial_events is not None:
                text = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
                found.append(causes.forbidden(field, text))
            found.append(causes.not_supported(field, self.match, ("NotOlderThan",)))
        return found


@dataclass(frozen=True, slots=True)
class Page:
    """A list as it is sent; the items are shared and in the version asked for."""

    items: Sequence[Manifest]
    resource_version: str
    continue_token: str = ""
    remaining: int | None = None

    @property
    def metadata(self) -> dict[str, Any]:
        """The metadata of the list object."""
        told: dict[str, Any] = {"resourceVersion": self.resource_version}
        if self.continue_token:
            told["continue"] = self.continue_token
        if self.remaining is not None:
            told["remainingItemCount"] = self.remaining
        return told


def parse_version(text: str) -> int:
    """Return a resourceVersion as a number; 0 when it is empty.

    Raises:
        BadRequestError: It is none.
    """
    if text.isascii() and text.isdigit():
        return int(text)
    if not text:
        return 0
    raise BadRequestError(
        f"invalid resource version: resourceVersion: Invalid value: {json.dumps(text)}: "
        f"strconv.ParseUint: parsing {json.dumps(text)}: invalid syntax"
    )


def list_page(
    server: ApiServer,
    resource_type: ResourceType,
    namespace: str | None,
    wanted: Filter,
    options: ListOptions,
) -> Page:
    """Return the objects that a list asks for, or one page of them.

    Raises:
        ApiError: The options contradict themselves, or ask for a revision that is not there.
    """
    options.check()
    revision, after = _start(server, options)
    limit = 0 if options.resource_version == "0" and not options.match else options.limit
    kind, store = storage_kind(resource_type), server.store
    if limit > 0 and wanted.all and revision == store.revision:
        # The usual page: what is left out is only counted, however much it is.
        items, more = store.page(kind, namespace, after=after, limit=limit)
        return _page(server, resource_type, items, revision, more)
    at = None if revision == store.revision else revision
    found = store.objects(kind, namespace, at=at)
    if after:
        found = [manifest for manifest in found if _key(manifest) > after]
    if not wanted.all:
        found = [manifest for manifest in found if wanted.matches(manifest)]
    if limit <= 0:
        return _page(server, resource_type, found, revision, 0)
    page = _page(server, resource_type, found[:limit], revision, len(found) - limit)
    return replace(page, remaining=None) if wanted.selects else page


def _page(
    server: ApiServer,
    resource_type: ResourceType,
    items: Sequence[Manifest],
    revision: int,
    more: int,
) -> Page:
    """Return a page; with a token for the next one if there are more items."""
    told = server.in_versions(resource_type, items)
    if more <= 0:
        return Page(told, str(revision))
    return Page(told, str(revision), _token(revision, _key(items[-1])), more)


def _start(server: ApiServer, options: ListOptions) -> tuple[int, tuple[str, str] | None]:
    """Return the revision to read at, and the key after which a page begins."""
    current = server.store.revision
    if options.continue_token:
        revision, after = _read_token(options.continue_token)
        if options.resource_version not in ("", "0"):
            raise BadRequestError("specifying resource version is not allowed when using continue")
        if revision == _LATEST:
            return current, after
        if revision < server.store.compacted:
            raise ExpiredError(_EXPIRED, {"continue": _token(_LATEST, after)})
        return revision, after
    asked = parse_version(options.resource_version)
    if asked > current:
        raise too_large_resource_version(asked, current)
    is_exact = options.match == "Exact" or (asked and options.limit > 0 and not options.match)
    return (asked if is_exact else current), None


def _key(manifest: Manifest) -> tuple[str, str]:
    metadata = manifest["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


def _token(revision: int, after: tuple[str, str]) -> str:
    start = "/".join(part for part in after if part) + "\0"
    text = json.dumps({"v": _FORM, "rv": revision, "start": start}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_token(token: str) -> tuple[int, tuple[str, str]]:
    try:
        padded = token.encode(errors="replace") + b"=" * (-len(token) % 4)
        raw = base64.b64decode(padded, b"-_", validate=True)
        told = parse(raw.decode("utf-8", "surrogateescape"))
    except binascii.Error:
        raise _bad_token("illegal base64 data at input byte 0") from None
    except GoJsonError as problem:
        raise _bad_token(str(problem)) from None
    if not isinstance(told, dict) or told.get("v") != _FORM:
        version = told.get("v", "") if isinstance(told, dict) else ""
        raise BadRequestError(
            "invalid continue token: continue key is not valid: "
            f"server does not recognize this encoded version {json.dumps(version)}"
        )
    revision, start = told.get("rv", 0), str(told.get("start", ""))
    if not isinstance(revision, int) or revision == 0 or not start.endswith("\0"):
        raise BadRequestError(
            "invalid continue token: continue key is not valid: "
            "incorrect encoded start resourceVersion (version meta.k8s.io/v1)"
        )
    namespace, _, name = start[:-1].rpartition("/")
    return revision, (namespace, name)


def _bad_token(problem: str) -> BadRequestError:
    return BadRequestError(f"invalid continue token: continue key is not valid: {problem}")
