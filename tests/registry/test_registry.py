import pytest

from gitops_sim.clock import VirtualClock
from gitops_sim.clock.door import Door
from gitops_sim.errors import ImagePullError, LabError
from gitops_sim.journal import Journal
from gitops_sim.journal.facts import FaultEnded, FaultStarted
from gitops_sim.registry import Registry


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(seed=5)


@pytest.fixture
def journal(clock: VirtualClock) -> Journal:
    return Journal(clock)


@pytest.fixture
def registry(clock: VirtualClock, journal: Journal) -> Registry:
    return Registry(clock, journal)


def test_a_pushed_image_behaves_as_it_says(registry: Registry) -> None:
    digest = registry.push(
        "shop/web:1.2", start="3s", crash_after="1m", needs_env=["DB"], ready=False, error_rate=0.5
    )
    image = registry.pull("shop/web:1.2")
    assert image.digest == digest
    assert (image.version, image.start_seconds, image.crash_after) == ("1.2", 3.0, 60.0)
    assert (image.needs_env, image.ready, image.error_rate) == (("DB",), False, 0.5)
    assert registry.pull("docker.io/shop/web:1.2").digest == digest


def test_a_tag_moves_and_a_digest_stays(registry: Registry) -> None:
    first = registry.push("shop/web:latest", version="1")
    second = registry.push("shop/web:latest", version="2")
    assert first != second
    assert registry.pull("shop/web").version == "2"
    assert registry.pull(f"shop/web@{first}").version == "1"


def test_the_same_image_pushed_again_has_the_same_digest(registry: Registry) -> None:
    assert registry.push("a/b:1", start="2s") == registry.push("a/b:1", start="2s")
    assert registry.push("a/b:1", start="2s") != registry.push("a/c:1", start="2s")


def test_unknown_images_exist_and_start_in_one_to_three_seconds(registry: Registry) -> None:
    images = [registry.pull(f"anyone/app:{n}") for n in range(20)]
    assert all(1.0 <= image.start_seconds <= 3.0 and image.ready for image in images)
    assert len({image.start_seconds for image in images}) > 10
    assert images[3].version == "3"
    assert registry.pull("anyone/app:3") == images[3]


def test_unknown_images_do_not_depend_on_the_order_of_pulls(clock: VirtualClock) -> None:
    names = ["a/a:1", "b/b:1", "c/c:1"]
    labs = [Registry(VirtualClock(seed=9), Journal(clock)) for _ in range(2)]
    forward = {name: labs[0].pull(name) for name in names}
    backward = {name: labs[1].pull(name) for name in reversed(names)}
    assert forward == backward


@pytest.mark.parametrize("reference", ["web:missing", "web:does-not-exist", "nowhere/web:1"])
def test_some_names_exist_nowhere(registry: Registry, reference: str) -> None:
    with pytest.raises(ImagePullError) as refused:
        registry.pull(reference)
    assert str(refused.value).startswith("rpc error: code = NotFound desc = failed to pull and")
    assert str(refused.value).endswith(": not found")


def test_what_was_pushed_under_such_a_name_exists(registry: Registry) -> None:
    registry.push("web:missing")
    assert registry.pull("web:missing").version == "missing"


def test_an_outage_fails_every_pull_and_is_told(registry: Registry, journal: Journal) -> None:
    registry.take_down()
    with pytest.raises(ImagePullError, match="connection refused"):
        registry.pull("nginx:1")
    with pytest.raises(LabError, match="the registry is down"):
        registry.push("nginx:2")
    registry.bring_back()
    assert registry.pull("nginx:1").version == "1"
    assert [type(fact) for fact in journal.facts()] == [FaultStarted, FaultEnded]


def test_tags_of_a_repository_are_those_pushed(registry: Registry) -> None:
    registry.push("shop/web:2")
    registry.push("shop/web:10")
    registry.push("shop/api:1")
    assert registry.tags("shop/web") == ["10", "2"]


@pytest.mark.parametrize("bad", [{"speed": 3}, {"start": "10 parsecs"}])
def test_a_wrong_behaviour_is_refused(registry: Registry, bad: dict[str, object]) -> None:
    with pytest.raises(LabError):
        registry.push("shop/web:1", **bad)  # type: ignore[arg-type]


def test_a_push_is_an_input_that_replays(clock: VirtualClock, journal: Journal) -> None:
    door = Door(clock)
    digest = Registry(clock, journal, door).push("shop/web:1", start="2s", needs_env=["A"])
    other_clock = VirtualClock(seed=5)
    other_door = Door(other_clock)
    other = Registry(other_clock, Journal(other_clock), other_door)
    other_door.replay(Door.from_jsonl(door.to_jsonl()))
    assert other.pull("shop/web:1").digest == digest
