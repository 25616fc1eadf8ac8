"""Lesson 01: what its checks say to answers that are neither right nor a known mistake."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_sim.exercises import CheckResult, installed_exercises
from gitops_sim.exercises.gate import script
from gitops_sim.lab import Lab

EXERCISES = installed_exercises()


MANIFESTS = EXERCISES["E01.2"].hints[-1].partition('cart = """')[2].partition('"""')[0]
HOURS = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: opening-hours, namespace: shop}
data: {monday: 8-18}
"""


def prepared(name: str) -> Lab:
    exercise = EXERCISES[name]
    made: Lab = script(exercise.folder / exercise.setup, "setup")(7)
    return made


@pytest.fixture(scope="module")
def lab() -> Lab:
    """The lab of the lesson; checks only look at it."""
    return prepared("E01.2")


def told(lab: Lab, name: str, answer: Any = None) -> CheckResult:
    result = lab.check(name, answer=answer)
    assert not result.passed
    assert result.message == ""
    return result


def test_output_that_nobody_printed_is_not_enough() -> None:
    """The journal has what the last apply wrote, whatever is handed in."""
    mine = prepared("E01.1")
    home, book = mine.cluster("home"), mine.forge.repository("runbook")
    home.kubectl("apply -f manifests", repository=book)
    made_up = "namespace/shop unchanged\nconfigmap/menu unchanged\ndeployment.apps/web unchanged"
    assert told(mine, "E01.1", made_up).found == "3 unchanged, 3 writes"


def test_changes_by_hand_between_do_not_spoil_the_exercise() -> None:
    mine = prepared("E01.1")
    home, book = mine.cluster("home"), mine.forge.repository("runbook")
    home.kubectl("apply -f manifests", repository=book)
    home.kubectl("label configmap menu -n shop season=summer --overwrite")
    again = home.kubectl("apply -f manifests", repository=book)
    assert "2 unchanged" in told(mine, "E01.1", again).found
    assert mine.check("E01.1", answer=home.kubectl("apply -f manifests", repository=book))


@pytest.mark.parametrize(
    ("manifests", "found"),
    [
        ("kind: [", "start “empty”"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: market}\n", "not found"),
        ("apiVersion: v1\nkind: Namespace\nmetadata: {name: market}\n", "ends with prices None"),
        (["not", "a", "text"], "no text, it is of type list"),
        (MANIFESTS.replace("kind: Deployment", "kind: Deploymnt"), 'no matches for kind "Deploym'),
        (MANIFESTS.replace('"4"', "4"), "cannot unmarshal number"),
    ],
)
def test_manifests_that_cannot_be_or_lack_objects(lab: Lab, manifests: Any, found: str) -> None:
    assert found in told(lab, "E01.2", manifests).found


def test_selector_that_does_not_fit_is_told_in_the_servers_words(lab: Lab) -> None:
    code = EXERCISES["E01.2"].hints[-1].partition("```python\n")[2].partition("lab.check")[0]
    names: dict[str, Any] = {}
    exec(code.replace("app: cart", "application: cart"), names)
    assert "field is immutable" in told(lab, "E01.2", names["cart"]).found


def test_two_of_three_are_counted(lab: Lab) -> None:
    assert told(lab, "E01.3", ["dairy/", "grocer"]).found == "2 of 3 found"


def test_team_that_does_not_exist_is_told(lab: Lab) -> None:
    result = told(lab, "E01.3", {"brewery"})
    assert result.found == "no team brewery"
    assert "bakery" in result.look_here


def test_right_disks_without_a_name_are_not_enough() -> None:
    mine = prepared("E01.4")
    names = {"lab": mine, "cloud": mine.cluster("cloud")}
    exec(EXERCISES["E01.4"].hints[-1].partition("```python\n")[2].partition("lab.check")[0], names)
    assert "named: nothing" in told(mine, "E01.4").found


def test_rebuilt_cluster_that_flux_has_not_reached_yet() -> None:
    mine = prepared("E01.5")
    code = EXERCISES["E01.5"].hints[-1].partition("```python\n")[2].partition('lab.run("5m")')[0]
    exec(code, {"lab": mine})
    assert "not as in prod" in told(mine, "E01.5").found


def test_broken_commit_is_told() -> None:
    mine = prepared("E01.5")
    mine.forge.repository("runbook").commit({"manifests/4-hours.yaml": "kind: ["}, "Break it")
    assert "cannot be built" in told(mine, "E01.5").found


def test_number_in_place_of_text_is_told_how_to_be_mended(lab: Lab) -> None:
    assert "in quotes" in told(lab, "E01.2", MANIFESTS.replace('"4"', "4")).look_here


def test_documents_in_the_wrong_order_are_told_what_is_missing(lab: Lab) -> None:
    backwards = "---".join(reversed(MANIFESTS.split("---")))
    assert "does it come first" in told(lab, "E01.2", backwards).look_here


def test_call_that_failed_is_told_in_kubectls_words() -> None:
    mine = prepared("E01.1")
    result = told(mine, "E01.1", mine.cluster("home").kubectl("apply -f manifests"))
    assert result.found == 'error: the path "manifests" does not exist'
    assert "repository=book" in result.look_here


def test_text_is_no_set_of_names_and_paths_and_capitals_do_not_matter(lab: Lab) -> None:
    assert "no set of names: 'dairy'" in told(lab, "E01.3", "dairy").found
    assert lab.check("E01.3", answer=["Dairy", "fishmonger/password.yaml", " grocer "])


def test_the_function_itself_may_be_handed_in_and_an_unknown_name_is_only_told() -> None:
    mine = prepared("E01.4")
    names: dict[str, Any] = {"lab": mine, "cloud": mine.cluster("cloud")}
    exec(EXERCISES["E01.4"].hints[-1].partition("```python\n")[2].partition("lab.check")[0], names)
    assert "named: flux" in told(mine, "E01.4", "flux").found
    assert mine.check("E01.4", answer=names["reconcile"])
    assert mine.check("E01.4", answer="reconcile()")


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        ("hours.yaml", HOURS, "`hours.yaml` is not in the directory that Flux reads"),
        ("manifests/4.yaml", HOURS.replace(", namespace: shop", ""), "in the namespace `default`"),
        ("manifests/4.yaml", HOURS.replace("8-18", "9-18"), "by hand it was {'monday': '8-18'}"),
        ("manifests/4.yaml", HOURS.replace("\ndata:", "\nimmutable: false #"), "Git says None"),
    ],
)
def test_object_that_git_declares_otherwise_is_told_how(path: str, text: str, found: str) -> None:
    mine = prepared("E01.5")
    book = mine.forge.repository("runbook")
    book.commit({path: text}, "Declare the opening hours")
    mine.cluster("rebuilt").flux.bootstrap(book, path="manifests", interval="1m")
    mine.run("5m")
    assert found in told(mine, "E01.5").found


def test_cluster_without_an_agent_is_told_so() -> None:
    mine = prepared("E01.5")
    mine.cluster("rebuilt")
    result = told(mine, "E01.5")
    assert "nothing delivers to `rebuilt`" in result.found
    assert "opening-hours" not in repr(result), "that is to be found"


def test_what_flux_says_is_told() -> None:
    mine = prepared("E01.5")
    book = mine.forge.repository("runbook")
    broken = HOURS + "---\napiVersion: v1\nkind: Nonsense\nmetadata: {name: x, namespace: shop}\n"
    book.commit({"manifests/4.yaml": broken}, "Declare the opening hours")
    mine.cluster("rebuilt").flux.bootstrap(book, path="manifests", interval="1m")
    mine.run("5m")
    assert "Flux says: Nonsense/shop/x" in told(mine, "E01.5").found
