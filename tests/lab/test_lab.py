"""The facade: time, look back, save, load, fork."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gitops_sim.errors import DurationError, LabError
from gitops_sim.forge import Repository
from gitops_sim.lab import ClusterHandle, Lab

SCRIPT = """
import sys
from gitops_sim.lab import Lab
lab = Lab(seed=7)
shop = lab.forge.import_repository("samples/shop")
flux, push = lab.cluster("staging"), lab.cluster("push")
flux.flux.bootstrap(shop, path="overlays/staging", sync_interval="2m")
push.pipeline.connect(shop, path="overlays/staging")
lab.run("2m")
shop.commit({"base/flags.yaml": shop.read("base/flags.yaml").replace("EUR", "CHF")}, "Francs")
lab.run("5m")
flux.kubectl("scale deployment/web --replicas=5 --namespace shop")
flux.simulated.kill("deployment-controller")
lab.run("3m")
"""


def scale(shop: Repository, replicas: int) -> None:
    text = shop.read("base/web.yaml").replace("replicas: 2", f"replicas: {replicas}")
    shop.commit({"base/web.yaml": text}, f"Scale web to {replicas}")


def output_of(script: str, hash_seed: int, *arguments: str) -> bytes:
    environment = dict(os.environ, PYTHONHASHSEED=str(hash_seed))
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def test_the_same_seed_gives_the_same_bytes_in_processes_with_other_hash_seeds() -> None:
    script = SCRIPT + "sys.stdout.buffer.write(lab.journal.to_jsonl())"
    one, other = output_of(script, 1), output_of(script, 2)
    assert one.count(b"\n") > 100
    assert one == other


def test_a_saved_lab_loads_in_another_process_and_goes_on_the_same(tmp_path: Path) -> None:
    path = str(tmp_path / "monday.lab")
    go_on = "lab.run('10m'); sys.stdout.buffer.write(lab.journal.to_jsonl())"
    saved = output_of(SCRIPT + "lab.save(sys.argv[1]);" + go_on, 1, path)
    loading = "import sys; from gitops_sim.lab import Lab; lab = Lab.load(sys.argv[1]);"
    assert output_of(loading + go_on, 2, path) == saved


def test_a_fork_in_which_nothing_is_changed_continues_the_same(
    lab: Lab, staging: ClusterHandle
) -> None:
    staging.kubectl("scale deployment/web --replicas=5 --namespace shop")
    branch = lab.fork()
    assert branch.journal.to_jsonl() == lab.journal.to_jsonl()
    for one in (lab, branch):
        one.run("10m")
    assert branch.journal.to_jsonl() == lab.journal.to_jsonl()


def test_a_fork_leaves_the_lab_alone(lab: Lab, staging: ClusterHandle) -> None:
    before = lab.journal.to_jsonl()
    branch = lab.fork()
    branch.cluster("staging").kubectl("delete deployment/web --namespace shop")
    branch.run("1h")
    assert lab.journal.to_jsonl() == before


def test_a_fork_of_the_past_knows_nothing_of_what_came_later(
    lab: Lab, shop: Repository, staging: ClusterHandle
) -> None:
    scale(shop, 4)
    lab.run("5m")
    branch = lab.fork(at="09:02")
    assert branch.clock.timestamp().endswith("09:02:00Z")
    assert "replicas: 2" in branch.forge.repository("shop").read("base/web.yaml")
    branch.run("1m")
    moment = lab.at("09:03").cluster("staging").get("Deployment", "web", "shop")
    assert branch.cluster("staging").get("Deployment", "web", "shop") == moment


def test_an_epoch_is_kept_by_forks_and_saved_labs(tmp_path: Path) -> None:
    lab = Lab(1, epoch="2031-05-06T07:08:09+02:00")
    lab.run("1m")
    assert lab.clock.timestamp() == "2031-05-06T05:09:09Z"
    lab.save(tmp_path / "a.lab")
    for other in (lab.fork(), Lab.load(tmp_path / "a.lab")):
        assert other.clock.timestamp() == lab.clock.timestamp()
    with pytest.raises(LabError, match="is no moment"):
        Lab(epoch="soon")


def test_another_seed_gives_another_history() -> None:
    histories = []
    for seed in (1, 2):
        lab = Lab(seed)
        shop = lab.forge.import_repository("samples/shop")
        lab.cluster("staging").flux.bootstrap(shop, path="overlays/staging")
        lab.run("5m")
        histories.append(lab.journal.to_jsonl())
    assert histories[0] != histories[1]


def test_the_order_of_equal_times_does_not_change_the_final_state() -> None:
    found = []
    for shuffle in (None, 1, 2, 3):
        lab = Lab(7, shuffle=shuffle)
        shop = lab.forge.import_repository("samples/shop")
        cluster = lab.cluster("staging")
        cluster.flux.bootstrap(shop, path="overlays/staging")
        lab.run("5m")
        scale(shop, 3)
        lab.run("10m")
        assert lab.compare(cluster).in_sync
        found.append([(row.key, row.sync, row.health) for row in lab.compare(cluster).board.rows])
    assert all(other == found[0] for other in found)


def test_run_takes_a_duration_a_moment_or_a_condition(lab: Lab, staging: ClusterHandle) -> None:
    lab.run("90s")
    assert lab.clock.now() == 270
    lab.run(until="09:10")
    assert lab.clock.now() == 600
    lab.run(until="2026-01-05T09:12:00Z")
    assert lab.clock.now() == 720
    staging.kubectl("scale deployment/web --replicas=5 --namespace shop")
    assert lab.run(until=lambda: lab.compare(staging).in_sync, timeout="1h")
    assert not lab.run(until=lambda: False, timeout="1m")


def test_a_time_of_day_that_has_passed_is_meant_of_tomorrow() -> None:
    lab = Lab(1)
    lab.run(until="08:00")
    assert lab.clock.timestamp() == "2026-01-06T08:00:00Z"


def test_run_needs_a_unit_and_one_of_its_two_ways(lab: Lab) -> None:
    with pytest.raises(DurationError, match="10 parsecs"):
        lab.run("10 parsecs")
    with pytest.raises(DurationError, match="unit"):
        lab.run("10")
    for wrong in ({}, {"duration": "1m", "until": "09:10"}):
        with pytest.raises(LabError, match="either how long or until when"):
            lab.run(**wrong)  # type: ignore[arg-type]
    assert lab.clock.now() == 0


def test_a_run_says_what_happened(lab: Lab, shop: Repository, staging: ClusterHandle) -> None:
    scale(shop, 3)
    told = repr(lab.run("2m"))
    assert told.startswith("09:05:00 (2m0s passed): ")
    assert re.search(r"\d revisions? applied", told)


def test_a_moment_shows_objects_as_they_were(
    lab: Lab, shop: Repository, staging: ClusterHandle
) -> None:
    scale(shop, 4)
    lab.run("5m")
    past = lab.at("09:03").cluster("staging")
    assert past.get("Deployment", "web", "shop")["spec"]["replicas"] == 2
    assert staging.get("Deployment", "web", "shop")["spec"]["replicas"] == 4
    assert len(past.list("Pod", "shop")) == 4
    assert lab.at("09:02").compare(staging).in_sync


def test_a_moment_that_is_not_past_is_refused(lab: Lab) -> None:
    with pytest.raises(LabError, match="nothing is known of that moment"):
        lab.at("+1h")


def test_a_kubectl_command_takes_virtual_time_and_reports_errors_as_text(
    lab: Lab, staging: ClusterHandle
) -> None:
    before = lab.clock.now()
    shown = staging.kubectl("get deployment web --namespace shop")
    assert "web    2/2" in repr(shown)
    assert lab.clock.now() > before
    wrong = staging.kubectl("get deployment nothing --namespace shop")
    assert wrong.exit_code == 1
    assert 'deployments.apps "nothing" not found' in wrong.stderr


def test_kubectl_applies_given_files(lab: Lab, staging: ClusterHandle) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: mine}\ndata: {a: b}\n"
    done = staging.kubectl("apply -f mine.yaml", files={"mine.yaml": text})
    assert done.stdout == "configmap/mine created\n"
    assert staging.get("ConfigMap", "mine")["data"] == {"a": "b"}


def test_the_facade_stays_thin() -> None:
    members = {
        name
        for name in vars(Lab(0)) | vars(Lab)
        if not name.startswith("_")
        and not isinstance(inspect.getattr_static(Lab, name, None), classmethod)
    }
    assert len(members) <= 12, sorted(members)
