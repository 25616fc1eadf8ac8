"""Values as the server's messages show them, as recorded from a real one."""

from __future__ import annotations

import json

from gitops_sim.apimachinery.internal_forms import go_difference, internal_form

CLAIM = {
    "accessModes": ["ReadWriteOnce"],
    "resources": {"requests": {"storage": "1Gi"}},
    "volumeMode": "Filesystem",
}


def test_members_have_gos_names_and_order_and_the_unset_ones_show() -> None:
    container = {"name": "app", "image": "other", "resources": {}}
    shown = internal_form({"containers": [container], "restartPolicy": "Never"}, "PodSpec")
    text = json.dumps(shown, separators=(",", ":"))
    assert text.startswith(
        '{"Volumes":null,"InitContainers":null,"Containers":[{"Name":"app","Image":"other",'
        '"Command":null,"Args":null,"WorkingDir":"","Ports":null,"EnvFrom":null,"Env":null,'
        '"Resources":{"Limits":null,"Requests":null,"Claims":null},"ResizePolicy":null,'
    )
    assert text.endswith('"SchedulingGroup":null,"EvictionResponders":null}')


def test_a_deprecated_name_has_the_value_of_its_old_one() -> None:
    shown = internal_form({"serviceAccountName": "a", "serviceAccount": "a"}, "PodSpec")
    assert shown["DeprecatedServiceAccount"] == "a"


def test_a_difference_has_three_lines_around_it() -> None:
    other = CLAIM | {"accessModes": ["ReadWriteMany"]}
    assert go_difference(CLAIM, other, "PersistentVolumeClaimSpec") == (
        "@@ -1,6 +1,6 @@\n"
        " {\n"
        '  "AccessModes": [\n'
        '-  "ReadWriteOnce"\n'
        '+  "ReadWriteMany"\n'
        "  ],\n"
        '  "Selector": null,\n'
        '  "Resources": {\n'
    )
    assert go_difference(CLAIM, CLAIM, "PersistentVolumeClaimSpec") == ""
