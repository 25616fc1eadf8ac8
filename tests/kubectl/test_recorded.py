"""What kubectl 1.37 printed against a kube-apiserver 1.37, command by command.

`recorded.json` holds a real session, without the commands that controllers have a hand in: times,
ids, addresses and ages are masked. The in-process kubectl runs the same session.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).parent.parent / "data" / "kubectl"
SESSION: list[dict[str, Any]] = json.loads((DATA / "recorded.json").read_text())
MASKS = [
    (r"\d{4}-\d\d-\d\dT[\d:]+Z", "<time>"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}", "<uid>"),
    (r'(resourceVersion: "?|"resourceVersion": "|Resource Version: +)\d+', r"\1<version>"),
    (r"10\.96\.\d+\.\d+ *", "<address> "),
    (r"CLUSTER-IP +", "CLUSTER-IP "),
    (r"\b\d+(m\d*)?s( +)", "<age> "),
    (r"\b\d+(m\d*)?s\n", "<age>\n"),
    (r"AGE +", "AGE "),
]


def masked(text: str) -> str:
    for pattern, mask in MASKS:
        text = re.sub(pattern, mask, text)
    return text


@pytest.fixture(scope="module")
def answers(make_kubectl: Callable[..., Any]) -> list[dict[str, Any]]:
    kubectl = make_kubectl(DATA, namespace="lab")
    found = []
    for row in SESSION:
        result = kubectl.run(row["argv"])
        told = {"stdout": masked(result.stdout), "stderr": masked(result.stderr)}
        found.append({"argv": row["argv"], "exit": result.exit_code, **told})
    return found


@pytest.mark.parametrize(
    "place", range(len(SESSION)), ids=[" ".join(row["argv"])[:60] for row in SESSION]
)
def test_command_answers_as_the_real_one_did(answers: list[dict[str, Any]], place: int) -> None:
    assert answers[place] == SESSION[place]


DIFFERENCE = """\
@@ -5,7 +5,7 @@
     kubectl.kubernetes.io/last-applied-configuration: |
       <configuration>
   creationTimestamp: "<time>"
-  generation: 1
+  generation: 2
   labels:
     app: web
   name: web
@@ -14,7 +14,7 @@
   uid: <uid>
 spec:
   progressDeadlineSeconds: 600
-  replicas: 2
+  replicas: 3
   revisionHistoryLimit: 10
   selector:
     matchLabels:
@@ -30,7 +30,7 @@
         app: web
     spec:
       containers:
-      - image: nginx:1.27
+      - image: nginx:1.28
         imagePullPolicy: IfNotPresent
         name: nginx
         ports:
"""


def test_diff_shows_the_hunks_that_the_real_one_showed(make_kubectl: Callable[..., Any]) -> None:
    # One line further up than recorded: there, a controller had annotated the object.
    kubectl = make_kubectl(DATA, namespace="default")
    kubectl.ok("apply -f web.yaml")
    result = kubectl.run("diff -f web2.yaml")
    assert result.exit_code == 1
    shown = masked("".join(result.stdout.splitlines(keepends=True)[3:]))
    shown = re.sub(r'\{"apiVersion.*', "<configuration>", shown)
    assert shown == DIFFERENCE
