import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.delivery import Inventory, InventoryEntry, parse_object_id
from gitops_sim.types import ResourceKey

RBAC = "rbac.authorization.k8s.io"
NAMES = st.from_regex(r"[a-z][a-z0-9.-]{0,8}", fullmatch=True)
KEYS = st.builds(
    ResourceKey,
    st.sampled_from(["", "apps", "source.toolkit.fluxcd.io"]),
    st.sampled_from(["Service", "Deployment", "GitRepository"]),
    st.just("") | NAMES,
    NAMES,
)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (ResourceKey("", "Service", "shop", "web"), "shop_web__Service"),
        (ResourceKey(RBAC, "ClusterRole", "", "a:b"), f"_a__b_{RBAC}_ClusterRole"),
        (ResourceKey("apps", "Deployment", "shop", "api"), "shop_api_apps_Deployment"),
    ],
)
def test_ids_are_those_of_flux(key: ResourceKey, expected: str) -> None:
    assert InventoryEntry(key, "v1").id == expected
    assert parse_object_id(expected) == key


@given(KEYS)
def test_an_id_is_read_back(key: ResourceKey) -> None:
    assert parse_object_id(InventoryEntry(key, "v1").id) == key


@pytest.mark.parametrize("text", ["", "web", "a_b", "__x_", "shop_web_Service"])
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="unable to parse stored object metadata"):
        parse_object_id(text)


def test_an_entry_names_its_kind_as_a_reader_takes_it() -> None:
    assert InventoryEntry(ResourceKey("", "Service", "shop", "web"), "v1").kind == "v1/Service"
    entry = InventoryEntry(ResourceKey("apps", "Deployment", "shop", "web"), "v1")
    assert entry.kind == "apps/v1/Deployment"


def test_orphans_are_what_the_new_inventory_lacks_whatever_the_version() -> None:
    def entry(name: str, version: str = "v1") -> InventoryEntry:
        return InventoryEntry(ResourceKey("apps", "Deployment", "shop", name), version)

    old = Inventory([entry("a"), entry("b"), entry("c", "v1beta1")])
    new = Inventory([entry("b"), entry("c")])
    assert old.orphans(of=new) == [entry("a")]
    assert new.orphans(of=old) == []


@given(st.lists(KEYS), st.lists(KEYS))
def test_new_and_orphans_together_are_everything(
    old: list[ResourceKey], new: list[ResourceKey]
) -> None:
    before = Inventory(InventoryEntry(key, "v1") for key in old)
    after = Inventory(InventoryEntry(key, "v1") for key in new)
    kept = after.with_entries(before.orphans(of=after))
    assert {entry.key for entry in kept} == {*old, *new}
    assert Inventory.from_status(kept.to_status()) == kept
