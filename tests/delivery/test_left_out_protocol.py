"""A port without protocol is a TCP port, in Git and in the cluster."""

from __future__ import annotations

from gitops_sim.delivery import declared_diff


def test_protocol_that_git_leaves_out_is_no_difference() -> None:
    desired = {"kind": "Service", "spec": {"ports": [{"port": 80}]}}
    live = {"kind": "Service", "spec": {"ports": [{"port": 80, "protocol": "TCP"}]}}
    assert declared_diff(desired, live) == []


def test_ports_of_two_protocols_stay_apart() -> None:
    desired = {"spec": {"ports": [{"port": 53}, {"port": 53, "protocol": "UDP"}]}}
    live = {"spec": {"ports": [{"port": 53, "protocol": "TCP"}]}}
    assert [str(d) for d in declared_diff(desired, live)] == [
        "spec.ports[port=53,protocol=\"UDP\"]: {'port': 53, 'protocol': 'UDP'} (live: absent)"
    ]
