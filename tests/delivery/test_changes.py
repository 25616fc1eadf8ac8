from gitops_sim.delivery import Action, Change, ChangeSet
from gitops_sim.types import ResourceKey

WEB = ResourceKey("apps", "Deployment", "shop", "web")
ROLE = ResourceKey("rbac.authorization.k8s.io", "ClusterRole", "", "reader")


def test_a_change_set_prints_one_line_per_object_as_flux_does() -> None:
    changes = ChangeSet()
    changes.add(Change(ROLE, Action.CREATED, "v1"))
    changes.add(Change(WEB, Action.CONFIGURED, "v1"))
    assert str(changes) == "ClusterRole/reader created\nDeployment/shop/web configured"


def test_unchanged_and_skipped_objects_are_no_change() -> None:
    changes = ChangeSet([Change(WEB, Action.UNCHANGED), Change(ROLE, Action.SKIPPED)])
    assert not changes.is_changed
    assert changes.changed() == []
    changes.add(Change(WEB, Action.DELETED))
    assert changes.is_changed
    assert changes.count(Action.DELETED) == 1
    assert len(changes) == 3
