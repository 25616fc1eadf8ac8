"""The pytest plugin in a project of somebody else: it costs nothing unused, and gives clusters."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

WITHOUT = ("-p", "no:cacheprovider", "-p", "no:playwright", "-p", "no:hypothesispytest")

OWN_PROJECT = """
    import os, urllib.error, urllib.request
    import pytest
    from kubernetes import client, config

    @pytest.mark.parametrize("turn", [1, 2])
    def test_a_fresh_cluster_for_each_test(simulated_api_client, turn):
        api = client.CoreV1Api(simulated_api_client)
        api.create_namespaced_config_map("default", {"metadata": {"name": "only-one"}})
        assert len(api.list_namespaced_config_map("default").items) == 1

    @pytest.mark.simulated_cluster(controllers=True, nodes=2)
    def test_controllers_act_as_time_passes(simulated_cluster, simulated_api_client):
        labels = {"app": "web"}
        apps = client.AppsV1Api(simulated_api_client)
        template = {"metadata": {"labels": labels},
                    "spec": {"containers": [{"name": "web", "image": "web:1"}]}}
        apps.create_namespaced_deployment("default", {
            "metadata": {"name": "web"},
            "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}})

        def ready():
            return apps.read_namespaced_deployment("web", "default").status.ready_replicas

        assert not ready()
        simulated_cluster.run_until(lambda: ready() == 2, timeout="1m")
        before = simulated_cluster.clock.now()
        simulated_cluster.run("1h")
        assert simulated_cluster.clock.now() == before + 3600
        assert len(client.CoreV1Api(simulated_api_client).list_node().items) == 2

    def test_what_never_comes_true_is_an_error(simulated_cluster):
        from gitops_sim.errors import LabError
        with pytest.raises(LabError, match="not so after 10s"):
            simulated_cluster.run_until(lambda: False, timeout="10s")

    def test_kubeconfig_is_in_the_environment(simulated_kubeconfig):
        assert os.environ["KUBECONFIG"] == str(simulated_kubeconfig)
        assert simulated_kubeconfig.stat().st_mode & 0o077 == 0

    def test_the_official_client_finds_it_though_it_was_imported_before(simulated_kubeconfig):
        config.load_kube_config()
        assert client.Configuration.get_default_copy().host in simulated_kubeconfig.read_text()

    @pytest.mark.simulated_cluster(users={"dora": ("developers",)})
    def test_users_have_tokens(simulated_cluster):
        assert {"admin", "dora"} <= set(simulated_cluster.tokens)

    def test_two_clusters_are_two(make_simulated_cluster):
        one, other = make_simulated_cluster(), make_simulated_cluster()
        assert one.url != other.url

    left = []

    def test_a_cluster_lasts_one_test(simulated_cluster):
        left.append((simulated_cluster.url, simulated_cluster.kubeconfig))

    def test_a_stopped_cluster_answers_nobody_and_leaves_no_file():
        url, kubeconfig = left[0]
        assert not kubeconfig.parent.exists()
        with pytest.raises(urllib.error.URLError, match="refused"):
            urllib.request.urlopen(url)

    @pytest.mark.simulated_cluster(True)
    def test_wrong_use(simulated_cluster):
        pass
"""


@pytest.mark.all
def test_it_serves_a_project_that_knows_only_the_fixtures(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(OWN_PROJECT)
    result = pytester.runpytest_subprocess("--strict-markers", *WITHOUT)
    result.assert_outcomes(passed=10, errors=1)
    result.stdout.fnmatch_lines(["*simulated_cluster takes named options, such as controllers*"])


def test_it_loads_nothing_until_a_test_asks_for_a_cluster(tmp_path: Path) -> None:
    (tmp_path / "test_nothing.py").write_text(
        "import sys\n"
        "def test_nothing():\n"
        "    rooms = {name for name in sys.modules if name.startswith('gitops_sim.')}\n"
        "    assert rooms == {'gitops_sim.pytest_plugin'}\n"
        "    assert not {'kubernetes', 'uvicorn', 'simpy'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *WITHOUT, "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
