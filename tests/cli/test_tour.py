"""`gitops-sim tour`: the environment that keeps a learner's own clusters out of reach."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from jupyter_client.manager import KernelManager

from gitops_sim.cli import main
from gitops_sim.cli.tour import jupyter_command, jupyter_environment


class Listener:
    """A real server on loopback that counts who connects; it stands for the learner's cluster."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.visits = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.visits += 1
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(10)


@pytest.fixture
def own_cluster() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


@pytest.fixture
def home(tmp_path: Path, own_cluster: Listener) -> Path:
    """A home with a kubeconfig of the learner's own, whose cluster answers."""
    folder = tmp_path / "home"
    (folder / ".kube").mkdir(parents=True)
    (folder / ".kube" / "config").write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "own",
                "clusters": [
                    {
                        "name": "own",
                        "cluster": {"server": f"http://127.0.0.1:{own_cluster.port}"},
                    }
                ],
                "contexts": [{"name": "own", "context": {"cluster": "own", "user": "me"}}],
                "users": [{"name": "me", "user": {}}],
            }
        )
    )
    return folder


@pytest.fixture
def environment(tmp_path: Path, home: Path) -> dict[str, str]:
    return jupyter_environment(tmp_path / "course", os.environ | {"HOME": str(home)})


def run_in(manager: KernelManager, code: str) -> str:
    """Run code in the kernel; return what it printed."""
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        printed: list[str] = []
        client.execute_interactive(
            code,
            timeout=60,
            output_hook=lambda message: printed.append(message["content"].get("text", "")),
        )
        return "".join(printed)
    finally:
        client.stop_channels()


def test_kubectl_alone_would_reach_the_own_cluster(home: Path, own_cluster: Listener) -> None:
    """The trap is real: without the lab's environment the planted file is used."""
    outer = {k: v for k, v in os.environ.items() if k != "KUBECONFIG"} | {"HOME": str(home)}
    program = jupyter_environment(home.parent / "other", outer)["PATH"].split(os.pathsep)[0]
    subprocess.run(
        [f"{program}/kubectl", "get", "ns", "--request-timeout=5s"],
        env=outer,
        check=False,
        capture_output=True,
        timeout=60,
    )
    assert own_cluster.visits


@pytest.fixture
def kernel(environment: dict[str, str], tmp_path: Path) -> Iterator[KernelManager]:
    """A kernel as JupyterLab starts it for a learner."""
    manager = KernelManager(kernel_name="python3", transport="ipc")
    manager.connection_file = str(tmp_path / "kernel.json")
    manager.start_kernel(env=environment, cwd=str(tmp_path))
    yield manager
    manager.shutdown_kernel(now=True)


ASK = "!kubectl get ns; echo code $?"
SERVE = """
from gitops_sim import Lab
lab = Lab(seed=1)
lab.cluster("staging")
serving = lab.serve()
"""


@pytest.mark.all
def test_served_lab_is_reached_and_left_again(
    kernel: KernelManager, environment: dict[str, str], own_cluster: Listener
) -> None:
    """In the cells below `lab.serve()`, and in terminals, which have only the file."""
    assert "code 0" in run_in(kernel, f"{SERVE}\n{ASK}")
    assert "staging" in Path(environment["KUBECONFIG"]).read_text()
    assert "kube-system" in run_in(kernel, ASK)
    kernel.restart_kernel(now=True)
    assert "code 1" in run_in(kernel, ASK), "the lab is gone, and nothing else is found"
    assert own_cluster.visits == 0


def test_own_cluster_stays_out_of_reach_after_a_kernel_restart(
    kernel: KernelManager, own_cluster: Listener
) -> None:
    before = run_in(kernel, ASK)
    kernel.restart_kernel(now=True)
    for answer in (before, run_in(kernel, ASK)):
        assert "no-lab-is-serving" in answer
        assert "code 1" in answer
    assert own_cluster.visits == 0


def test_in_a_pod_the_hubs_own_cluster_is_not_used(
    environment: dict[str, str], own_cluster: Listener
) -> None:
    outer = os.environ | {
        "KUBERNETES_SERVICE_HOST": "127.0.0.1",
        "KUBERNETES_SERVICE_PORT": str(own_cluster.port),
    }
    made = jupyter_environment(Path(environment["KUBECONFIG"]).parents[1], outer)
    assert not {"KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"} & set(made)


def test_kubeconfig_names_no_cluster_and_is_private(environment: dict[str, str]) -> None:
    file = Path(environment["KUBECONFIG"])
    config = yaml.safe_load(file.read_text())
    assert (config["clusters"], config["users"]) == ([], [])
    assert file.stat().st_mode & 0o077 == 0


def test_a_new_start_forgets_the_cluster_of_the_last_lab(environment: dict[str, str]) -> None:
    file = Path(environment["KUBECONFIG"])
    file.write_text("clusters: [{name: gone}]")
    jupyter_environment(file.parents[1], os.environ)
    assert "gone" not in file.read_text()


def test_learners_own_settings_of_the_page_are_kept(environment: dict[str, str]) -> None:
    settings = Path(environment["JUPYTERLAB_SETTINGS_DIR"])
    file = next(settings.rglob("notification.jupyterlab-settings"))
    file.write_text("{}")
    jupyter_environment(Path(environment["KUBECONFIG"]).parents[1], os.environ)
    assert file.read_text() == "{}"


@pytest.mark.parametrize("port", ["-1", "65536", "999999"])
def test_port_that_is_none_is_wrong_usage(
    port: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tour", "--dir", str(tmp_path / "course"), "--port", port]) == 2
    assert f"{port} is no port" in capsys.readouterr().err
    assert not (tmp_path / "course").exists()


def test_jupyterlab_listens_on_loopback_only(tmp_path: Path) -> None:
    command = jupyter_command(tmp_path, browser=False)
    assert "--ServerApp.ip=127.0.0.1" in command
    assert "--no-browser" in command
    assert not [word for word in command if "token" in word], "a token in arguments is readable"


def test_another_program_takes_its_place_with_the_labs_own_kubeconfig(tmp_path: Path) -> None:
    """As on a JupyterHub: the process that was started is the one that serves."""
    program = Path(sys.executable).with_name("gitops-sim")
    script = "import os; print(os.getpid(), os.environ['KUBECONFIG'])"
    words = [program, "tour", "--dir", "mine", "--command", sys.executable, "-c", script]
    with subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        told = process.communicate()[0].split()
    assert told == [str(process.pid), str(tmp_path.resolve() / "mine/.lab/kubeconfig")]
    assert (tmp_path / "mine/notebooks/00-tour.ipynb").is_file()


def test_program_that_is_not_there_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tour", "--dir", str(tmp_path / "mine"), "--command", "no-such-program"]) == 2
    assert "there is no program 'no-such-program'" in capsys.readouterr().err
