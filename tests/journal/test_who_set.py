"""Who set each field, read from managedFields."""

from __future__ import annotations

from gitops_sim.journal.who_set import who_set


def test_each_leaf_names_its_managers_the_latest_first() -> None:
    def entry(manager: str, time: str, fields: dict[str, object]) -> dict[str, object]:
        return {"manager": manager, "operation": "Apply", "time": time, "fieldsV1": fields}

    image = {'k:{"name":"web"}': {".": {}, "f:image": {}, "f:name": {}}}
    manifest = {
        "metadata": {
            "managedFields": [
                entry("flux", "2026-01-05T09:00:00Z", {"f:spec": {"f:containers": image}}),
                entry("hand", "2026-01-05T10:00:00Z", {"f:spec": {"f:containers": image}}),
                entry(
                    "other", "2026-01-05T08:00:00Z", {"f:metadata": {"f:finalizers": {'v:"x"': {}}}}
                ),
            ]
        }
    }
    found = who_set(manifest)
    setters = found['spec.containers[name="web"].image']
    assert [setter.manager for setter in setters] == ["hand", "flux"]
    assert 'metadata.finalizers["x"]' in found


def test_an_object_without_ownership_has_no_setters() -> None:
    assert who_set({"metadata": {}}) == {}
