"""What a run tells: what happened, and of warnings only those that still stand."""

from __future__ import annotations

from gitops_sim.forge import Repository
from gitops_sim.lab import ClusterHandle, Lab


def test_a_healthy_start_warns_of_nothing(lab: Lab, shop: Repository) -> None:
    lab.cluster("staging").flux.bootstrap(shop, path="overlays/staging")
    told = lab.run("5m").told
    assert "1 revision applied" in told
    assert "warning" not in told, "every pod got ready, whatever its first probe said"


def test_a_roll_out_that_hangs_warns_and_says_of_what(
    lab: Lab, shop: Repository, staging: ClusterHandle
) -> None:
    lab.registry.push("shop/web:9.0.0", ready=False)
    web = shop.read("base/web.yaml")
    shop.commit({"base/web.yaml": web.replace("web:1.4.0", "web:9.0.0")}, "Deliver web 9")
    assert lab.run("5m").told.endswith("1 warning (Unhealthy)")


def test_pipelines_that_failed_are_counted_as_such(lab: Lab, shop: Repository) -> None:
    lab.cluster("push").pipeline.connect(shop, path="overlays/staging")
    flags = shop.read("base/flags.yaml")
    shop.commit({"base/flags.yaml": flags.replace("EUR", "CHF")}, "Francs")
    assert lab.run("5m").told.startswith("1 pipeline run, 1 revision applied")
    shop.commit({"base/flags.yaml": "kind: ["}, "Break it")
    assert lab.run("5m").told.startswith("1 pipeline run (1 failed)")


def test_workflow_that_fails_before_time_passes_is_told_by_the_next_run(
    lab: Lab, shop: Repository
) -> None:
    lab.cluster("push").pipeline.connect(shop, path="overlays/staging")
    shop.commit({".github/workflows/deploy.yaml": "on: push\njobs: [\n"}, "Break the workflow")
    assert lab.run("1m").told.startswith("1 pipeline run (1 failed)")
    assert lab.run("1m").told == "nothing happened"
    assert lab.fork().run("1m").told == "nothing happened", "a fork tells its own news"
