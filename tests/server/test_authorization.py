"""Acting as somebody else: each part of who that is needs a right of its own."""

from __future__ import annotations

from typing import Any

import pytest

RBAC = "/apis/rbac.authorization.k8s.io/v1"


def grant(site: Any, *rules: dict[str, Any]) -> None:
    """Let the user `limited` do what rules say, everywhere."""
    site.make(f"{RBAC}/clusterroles", "ClusterRole", "actor", rules=list(rules))
    group = "rbac.authorization.k8s.io"
    site.make(
        f"{RBAC}/clusterrolebindings",
        "ClusterRoleBinding",
        "actor",
        roleRef={"apiGroup": group, "kind": "ClusterRole", "name": "actor"},
        subjects=[{"apiGroup": group, "kind": "User", "name": "limited"}],
    )


def act(resource: str, *names: str, group: str = "") -> dict[str, Any]:
    told = {"apiGroups": [group], "resources": [resource], "verbs": ["impersonate"]}
    return told | {"resourceNames": list(names)}


def status(site: Any, **headers: str) -> int:
    sent = {name.replace("_", "-"): text for name, text in headers.items()}
    return int(site.ask("GET", "/api", by=site.users["limited"], headers=sent).status)


def test_nobody_acts_as_another_without_the_right(site: Any) -> None:
    assert status(site) == 200
    assert status(site, impersonate_user="eve") == 403
    assert status(site, impersonate_user="system:serviceaccount:default:robot") == 403
    assert status(site, impersonate_user="eve", impersonate_group="system:masters") == 403


@pytest.mark.parametrize(
    ("rule", "more"),
    [
        (act("groups", "devs"), {"impersonate_group": "devs"}),
        (
            act("uids", "7", group="authentication.k8s.io"),
            {"impersonate_uid": "7"},
        ),
        (
            act("userextras/team", "a", group="authentication.k8s.io"),
            {"impersonate_extra_team": "a"},
        ),
    ],
    ids=["group", "uid", "extra"],
)
def test_groups_uids_and_extras_need_a_right_beside_that_for_the_user(
    site: Any, make_site: Any, rule: dict[str, Any], more: dict[str, str]
) -> None:
    grant(site, act("users", "eve"))
    assert status(site, impersonate_user="eve") == 200
    assert status(site, impersonate_user="mallory") == 403
    assert status(site, impersonate_user="eve", **more) == 403
    other = make_site()
    grant(other, act("users", "eve"), rule)
    assert status(other, impersonate_user="eve", **more) == 200


def test_a_right_to_one_group_is_none_to_the_masters(site: Any) -> None:
    grant(site, act("users", "eve"), act("groups", "devs"))
    assert status(site, impersonate_user="eve", impersonate_group="devs") == 200
    assert status(site, impersonate_user="eve", impersonate_group="devs,system:masters") == 403


def test_service_accounts_are_named_in_their_namespace(site: Any) -> None:
    grant(site, act("serviceaccounts", "robot"))
    assert status(site, impersonate_user="system:serviceaccount:default:robot") == 200
    assert status(site, impersonate_user="system:serviceaccount:default:other") == 403
