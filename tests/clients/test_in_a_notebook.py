"""kubectl in the cells of a notebook whose kernel holds the lab, while it is served."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from traitlets.config import Config

from gitops_sim.cli.tour import jupyter_environment

pytestmark = [pytest.mark.all, pytest.mark.notebook]

BEGIN = """
from importlib.resources import as_file, files
from pathlib import Path
import shutil
from gitops_sim import Lab
with as_file(files("gitops_sim") / "samples" / "shop") as shop:
    shutil.copytree(shop, "shop")
lab = Lab(seed=7)
lab.cluster("staging")
serving = lab.serve(speed=20)
"""
COMMANDS = {
    "kubectl apply -k shop/overlays/staging": "deployment.apps/web created",
    "kubectl config set-context --current --namespace=shop": "modified",
    "kubectl rollout status deploy/web --timeout=60s": "successfully rolled out",
    "kubectl diff -k shop/overlays/staging && echo no difference": "no difference",
    "kubectl get pods -w --request-timeout=2s": "Running",
    "kubectl describe deploy web": "NewReplicaSetAvailable",
    "kubectl explain deploy.spec.replicas": "FIELD: replicas <integer>",
    "kubectl create configmap notes --from-literal=a=b": "configmap/notes created",
    "EDITOR='sed -i s/a:.b/a:\\ c/' kubectl edit configmap notes": "configmap/notes edited",
    "kubectl set image deploy/web web=web:9": "image updated",
    "kubectl rollout history deploy/web": "REVISION",
    "kubectl rollout undo deploy/web": "rolled back",
    "kubectl rollout restart deploy/web": "restarted",
    "kubectl wait deploy/web --for=condition=Available --timeout=60s": "condition met",
    "kubectl scale deploy/web --replicas=3": "scaled",
    "kubectl auth can-i delete pods": "yes",
    "kubectl api-resources --api-group=apps": "deployments",
    "kubectl events --for deployment/web": "ScalingReplicaSet",
    "kubectl logs deploy/web": "",
    "kubectl apply --server-side --force-conflicts -k shop/overlays/staging": "serverside-applied",
    "kubectl label deploy web tier=front": "labeled",
    "kubectl annotate deploy web note=x": "annotated",
    'kubectl patch deploy web -p \'{"spec":{"replicas":1}}\'': "patched",
    "kubectl get deploy web -o yaml | kubectl replace -f -": "replaced",
    "kubectl exec deploy/web -- ls": "exec is not possible here",
    "kubectl port-forward deploy/web 8080:80": "portforward is not possible here",
    "kubectl delete deploy web --cascade=foreground": "deleted",
}


@pytest.fixture
def kernel(tmp_path: Path) -> NotebookClient:
    config = Config({"KernelManager": {"transport": "ipc", "ip": str(tmp_path / "kernel")}})
    cells = [nbformat.v4.new_code_cell(BEGIN)]
    cells += [nbformat.v4.new_code_cell(f"!{command}") for command in COMMANDS]
    return NotebookClient(
        nbformat.v4.new_notebook(cells=cells),
        config=config,
        kernel_name="python3",
        timeout=120,
        iopub_timeout=60,
        raise_on_iopub_timeout=True,
        resources={"metadata": {"path": str(tmp_path)}},
    )


def test_every_command_answers_in_the_next_cell(kernel: NotebookClient, tmp_path: Path) -> None:
    book = kernel.execute(env=jupyter_environment(tmp_path / "course", os.environ))
    for cell, (command, expected) in zip(book.cells[1:], COMMANDS.items(), strict=True):
        said = "".join(output.get("text", "") for output in cell.outputs)
        assert expected in said, (command, said)
        assert "Traceback" not in said
