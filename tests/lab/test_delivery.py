"""A commit travels to running pods both ways; what people do by hand lasts as long as it should."""

from __future__ import annotations

import json

from gitops_sim.forge import Repository
from gitops_sim.journal import convergence, drift_exposure, facts, who_set
from gitops_sim.lab import ClusterHandle, Lab


def commit_image(shop: Repository, tag: str) -> str:
    text = shop.read("base/web.yaml").replace("shop/web:1.4.0", f"shop/web:{tag}")
    return shop.commit({"base/web.yaml": text}, f"Release web {tag}")


def images(cluster: ClusterHandle) -> set[str]:
    pods = cluster.list("Pod", "shop", labels="app=web")
    return {pod["spec"]["containers"][0]["image"] for pod in pods}


def test_a_commit_is_pulled_into_running_pods(
    lab: Lab, shop: Repository, staging: ClusterHandle
) -> None:
    commit = commit_image(shop, "1.5.0")
    lab.run("3m")
    assert images(staging) == {"shop/web:1.5.0"}
    assert lab.compare(staging).in_sync
    delivered = {d.commit: d for d in convergence(lab.journal) if d.agent.startswith("flux:")}
    seconds = delivered[commit].convergence
    assert seconds is not None
    assert 0 < seconds < 120


def test_a_commit_is_pushed_into_running_pods(lab: Lab, shop: Repository) -> None:
    cluster = lab.cluster("push")
    cluster.pipeline.connect(shop, path="overlays/staging")
    commit = commit_image(shop, "1.5.0")
    lab.run("10m")
    assert [run.status for run in cluster.pipeline.runs] == ["success"]
    assert images(cluster) == {"shop/web:1.5.0"}
    assert lab.compare(cluster).in_sync
    pushed = [d for d in convergence(lab.journal) if d.commit == commit and d.ready is not None]
    assert [d.agent for d in pushed] == ["push:shop/deploy"]


def test_flux_repairs_drift_at_its_interval_and_push_does_not(
    lab: Lab, shop: Repository, staging: ClusterHandle
) -> None:
    push = lab.cluster("push")
    push.pipeline.connect(shop, path="overlays/staging")
    commit_image(shop, "1.5.0")
    lab.run("10m")
    for cluster in (staging, push):
        cluster.kubectl("scale deployment/web --replicas=5 --namespace shop")
    lab.run("3m")
    assert staging.get("Deployment", "web", "shop")["spec"]["replicas"] == 2
    assert push.get("Deployment", "web", "shop")["spec"]["replicas"] == 5
    rows = {row.key.name: row for row in lab.compare(push).board.rows if row.sync == "Drifted"}
    assert (rows["web"].desired, rows["web"].actual) == ("replicas: 2", "replicas: 5")
    repaired = lab.journal.facts(facts.DriftRepaired)
    assert [fact.subject for fact in repaired] == ["Deployment/shop/web"]
    assert drift_exposure(lab.journal, until=lab.clock.now(), cluster="staging") > 0


def test_flux_prunes_what_left_git_and_push_leaves_it(
    lab: Lab, shop: Repository, staging: ClusterHandle
) -> None:
    push = lab.cluster("push")
    push.pipeline.connect(shop, path="overlays/staging")
    commit_image(shop, "1.5.0")
    lab.run("10m")
    kept = shop.read("base/kustomization.yaml").replace("  - cart.yaml\n", "")
    workflow = shop.read(".github/workflows/deploy.yaml")
    line = "          kubectl rollout status deployment/cart --namespace shop --timeout 5m\n"
    shop.commit(
        {
            "base/kustomization.yaml": kept,
            "base/cart.yaml": None,
            ".github/workflows/deploy.yaml": workflow.replace(line, ""),
        },
        "Remove the cart",
    )
    lab.run("10m")
    assert not staging.list("Deployment", "shop", fields="metadata.name=cart")
    assert lab.compare(staging).in_sync
    extra = [row for row in lab.compare(push).board.rows if row.sync == "Extra"]
    assert {str(row.key) for row in extra} == {"Deployment/shop/cart", "Service/shop/cart"}


def test_a_board_names_each_way_to_differ(
    lab: Lab, shop: Repository, staging: ClusterHandle
) -> None:
    staging.flux.suspend("kustomization")
    commit_image(shop, "1.5.0")
    staging.kubectl("scale deployment/cart --replicas=3 --namespace shop")
    staging.kubectl("delete configmap/flags --namespace shop")
    manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: debug, namespace: shop}\n"
    staging.kubectl("apply -f debug.yaml", files={"debug.yaml": manifest})
    lab.run("3m")
    found = {
        str(row.key): (row.sync, row.words, row.who) for row in lab.compare(staging).board.rows
    }
    assert found["Deployment/shop/web"] == ("OutOfSync", "new commit waits", "")
    assert found["Deployment/shop/cart"] == ("Drifted", "edited by hand", "kubectl")
    assert found["ConfigMap/shop/flags"] == ("Missing", "missing", "")
    assert found["ConfigMap/shop/debug"] == ("Extra", "only in cluster", "")
    assert found["Service/shop/web"] == ("Synced", "in sync", "")


def test_who_set_a_field_is_known(lab: Lab, staging: ClusterHandle) -> None:
    staging.kubectl("scale deployment/web --replicas=5 --namespace shop")
    setters = who_set(staging.get("Deployment", "web", "shop"))
    assert setters["spec.replicas"][0].manager == "kubectl"
    image = 'spec.template.spec.containers[name="web"].image'
    assert setters[image][0].manager == "kustomize-controller"


def test_a_broken_commit_leaves_the_last_good_state_and_says_why(
    lab: Lab, shop: Repository, staging: ClusterHandle
) -> None:
    shop.commit({"base/web.yaml": "kind: [unclosed"}, "Break it")
    lab.run("5m")
    assert images(staging) == {"shop/web:1.4.0"}
    table = staging.flux.get()
    assert "False" in table
    assert "base/web.yaml" in lab.compare(staging).board.sentence
    shop.revert(shop.head())
    lab.run("5m")
    assert lab.compare(staging).in_sync


def test_while_git_cannot_be_built_the_pictures_show_what_stays(
    lab: Lab, shop: Repository, staging: ClusterHandle
) -> None:
    shop.commit({"overlays/staging/kustomization.yaml": "resources: [\n"}, "Break it")
    staging.kubectl("scale deployment/web --replicas=5 --namespace shop")
    lab.run("10s")
    there = lab.compare(staging)
    assert there.board.summary == "Git cannot be built"
    assert "kustomization.yaml:2" in there.board.sentence
    assert [row.key.name for row in there.board.rows if row.differs] == ["web"]
    assert len(there.board.rows) == 8
    assert not there.in_sync
    assert "Deployment/shop/web" in str(there.tree())
    lab.run("5m")
    assert not lab.compare(staging).in_sync, "what was applied stays, and Git is still broken"


def test_a_bad_image_is_seen_stuck_and_a_revert_mends_it(
    lab: Lab, shop: Repository, staging: ClusterHandle
) -> None:
    commit_image(shop, "missing")
    lab.run("15m")
    pods = staging.list("Pod", "shop", labels="app=web")
    states = [pod["status"]["containerStatuses"][0]["state"] for pod in pods]
    waiting = {state["waiting"]["reason"] for state in states if "waiting" in state}
    assert waiting & {"ImagePullBackOff", "ErrImagePull"}
    assert sum("running" in state for state in states) == 2  # the old version still serves
    shop.revert(shop.head())
    lab.run("5m")
    assert images(staging) == {"shop/web:1.4.0"}
    assert lab.compare(staging).in_sync


def test_the_history_plays_and_every_picture_has_words(
    lab: Lab, shop: Repository, staging: ClusterHandle
) -> None:
    commit_image(shop, "1.5.0")
    lab.run("2m30s")
    view = lab.compare(staging)
    assert "<script" in view.html
    assert "data:image/svg+xml" in view.html
    assert set(view._repr_mimebundle_()) >= {"text/plain", "text/html"}
    assert "commit" in str(view.lanes())
    assert "applied" in str(view.lanes())
    tree = str(view.tree()).splitlines()
    assert tree[0].startswith("Kustomization/flux-system/flux-system")
    assert any(line.strip().startswith("Pod/shop/web") for line in tree)
    assert "Ready=True" in str(staging.flux.loop())


def test_the_loop_of_a_kustomization_shows_its_own_source(lab: Lab, staging: ClusterHandle) -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "other"}}
    other = lab.forge.create_repository("other", {"other.yaml": json.dumps(config)})
    staging.flux.bootstrap(other, name="other", interval="3m", target_namespace="default")
    lab.run("2m")
    watched = next(row for row in str(staging.flux.loop("other")).splitlines() if "watch" in row)
    assert other.log()[0].commit[:7] in watched
    assert "polled every 3m" in watched


def test_a_second_bootstrap_brings_back_a_namespace_that_was_deleted(
    lab: Lab, shop: Repository, staging: ClusterHandle
) -> None:
    staging.kubectl("delete namespace flux-system")
    lab.run("1m")
    staging.flux.bootstrap(shop, path="overlays/staging")
    lab.run("3m")
    assert lab.compare(staging).in_sync
    assert "Ready=True" in str(staging.flux.loop())


def test_the_sample_deploys_by_pipeline_only_where_a_cluster_is_connected(
    lab: Lab, shop: Repository, staging: ClusterHandle
) -> None:
    commit_image(shop, "1.5.0")
    lab.run("5m")
    done = lab.journal.facts(facts.PipelineDone)
    assert [fact.status for fact in done] == ["success"]
    pushed = {fact.agent for fact in lab.journal.facts(facts.RevisionApplied)}
    assert pushed == {"flux:flux-system/flux-system"}
