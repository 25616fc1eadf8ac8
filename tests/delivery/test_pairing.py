from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.delivery import pair_by_key
from gitops_sim.types import Manifest, ResourceKey


def made(kind: str, name: str, namespace: str = "shop", version: str = "v1") -> Manifest:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": version, "kind": kind, "metadata": metadata}


def test_pairs_keep_the_declared_order_and_end_with_what_only_lives() -> None:
    declared = [made("Service", "web"), made("ConfigMap", "settings")]
    live = [made("Secret", "old"), made("ConfigMap", "settings"), made("ConfigMap", "left")]
    pairs = pair_by_key(declared, live)
    assert [(str(p.key), p.desired is not None, p.live is not None) for p in pairs] == [
        ("Service/shop/web", True, False),
        ("ConfigMap/shop/settings", True, True),
        ("ConfigMap/shop/left", False, True),
        ("Secret/shop/old", False, True),
    ]


def test_versions_of_one_kind_are_one_object() -> None:
    new, old = made("Deployment", "web", version="apps/v1"), made("Deployment", "web")
    old["apiVersion"] = "apps/v1beta1"
    (pair,) = pair_by_key([new], [old])
    assert pair.live is old


def test_an_object_without_namespace_is_the_one_in_the_default_namespace() -> None:
    (pair,) = pair_by_key([made("Service", "web", "")], [made("Service", "web", "default")])
    assert pair.live is not None
    assert pair.key.namespace == "default"


def test_a_cluster_scoped_object_wins_over_one_in_the_default_namespace() -> None:
    live = [made("Thing", "x", ""), made("Thing", "x", "default")]
    assert pair_by_key([made("Thing", "x", "")], live)[0].live is live[0]


@given(st.sets(st.sampled_from("abcdef")), st.sets(st.sampled_from("abcdef")))
def test_every_object_is_in_exactly_one_pair(declared: set[str], live: set[str]) -> None:
    pairs = pair_by_key(
        [made("ConfigMap", name) for name in sorted(declared)],
        [made("ConfigMap", name) for name in sorted(live)],
    )
    assert {pair.key for pair in pairs} == {
        ResourceKey("", "ConfigMap", "shop", name) for name in declared | live
    }
    assert {p.key.name for p in pairs if p.desired and p.live} == declared & live
