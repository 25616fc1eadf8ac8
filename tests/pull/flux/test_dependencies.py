from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.pull.flux.dependencies import in_dependency_order
from gitops_sim.types import Manifest


def made(name: str, *needs: str) -> Manifest:
    spec = {"dependsOn": [{"name": other} for other in needs]}
    return {"metadata": {"name": name, "namespace": "shop"}, "spec": spec}


def names(manifests: list[Manifest]) -> list[str]:
    return [manifest["metadata"]["name"] for manifest in manifests]


def test_what_is_needed_comes_first() -> None:
    asked = [made("app", "db", "infra"), made("db", "infra"), made("infra")]
    assert names(in_dependency_order(asked)) == ["infra", "db", "app"]


def test_dependencies_elsewhere_do_not_matter() -> None:
    assert names(in_dependency_order([made("b", "gone"), made("a")])) == ["a", "b"]


def test_a_circle_wakes_nobody() -> None:
    assert in_dependency_order([made("a", "b"), made("b", "c"), made("c", "a"), made("d")]) == []
    assert in_dependency_order([made("a", "a")]) == []


def test_a_long_chain_is_no_problem() -> None:
    chain = [made(f"k{n:05}", f"k{n + 1:05}") for n in range(5000)]
    assert len(in_dependency_order(chain)) == 5000


@given(st.permutations("abcdef"), st.data())
def test_every_one_comes_after_all_that_it_needs(order: list[str], data: st.DataObject) -> None:
    needs = {
        name: data.draw(
            st.lists(st.sampled_from(order[:place]), unique=True) if place else st.just([])
        )
        for place, name in enumerate(order)
    }
    found = names(in_dependency_order([made(name, *needs[name]) for name in sorted(needs)]))
    assert sorted(found) == sorted(order)
    for name, others in needs.items():
        assert all(found.index(other) < found.index(name) for other in others)
