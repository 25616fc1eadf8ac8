from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.delivery import apply_order, apply_stages, prune_order
from gitops_sim.types import Manifest, ResourceKey

KINDS = ["Namespace", "CustomResourceDefinition", "Deployment", "Service", "ConfigMap", "Widget"]


def made(kind: str, name: str = "x", group: str = "") -> Manifest:
    version = f"{group}/v1" if group else "v1"
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}}


def kinds(manifests: list[Manifest]) -> list[str]:
    return [manifest["kind"] for manifest in manifests]


def test_what_others_need_is_applied_first() -> None:
    mixed = ["ValidatingWebhookConfiguration", "Ingress", "Deployment", "Service", "ConfigMap"]
    mixed += ["ServiceAccount", "Namespace", "CustomResourceDefinition"]
    assert kinds(apply_order(made(kind) for kind in mixed)) == mixed[::-1]


def test_unknown_kinds_go_by_group_kind_and_name() -> None:
    mixed = [made("Widget", "b", "z.io"), made("Widget", "a", "z.io"), made("Thing", "c", "a.io")]
    ordered = apply_order(mixed)
    assert [m["metadata"]["name"] for m in ordered] == ["c", "a", "b"]


def test_definitions_classes_and_custom_kinds_are_stages_of_their_own() -> None:
    mixed = ["Deployment", "StorageClass", "ClusterRole", "Namespace", "Certificate", "ConfigMap"]
    stages = apply_stages([made(kind) for kind in mixed], custom_kinds=("Certificate",))
    assert [kinds(stage) for stage in stages] == [
        ["Namespace", "ClusterRole"],
        ["StorageClass"],
        ["Certificate"],
        ["ConfigMap", "Deployment"],
    ]


def test_pruning_goes_the_other_way() -> None:
    keys = [
        ResourceKey("", "Namespace", "", "shop"),
        ResourceKey("", "ConfigMap", "shop", "settings"),
        ResourceKey("apps", "Deployment", "shop", "web"),
    ]
    assert [key.kind for key in prune_order(keys)] == ["Deployment", "ConfigMap", "Namespace"]


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from("abc")), unique=True))
def test_pruning_is_the_apply_order_reversed(objects: list[tuple[str, str]]) -> None:
    manifests = [made(kind, name) for kind, name in objects]
    keys = [ResourceKey.of(manifest) for manifest in manifests]
    applied = [ResourceKey.of(manifest) for manifest in apply_order(manifests)]
    assert prune_order(keys) == applied[::-1]
    assert [m for stage in apply_stages(manifests) for m in stage] == apply_order(manifests)
