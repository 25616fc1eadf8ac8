from itertools import pairwise

import pytest

from gitops_sim.pull.flux.semver import SemverRange, Version


def version(text: str) -> Version:
    found = Version.parse(text)
    assert found is not None
    return found


def test_versions_are_ordered_as_semver_says() -> None:
    ordered = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1"]
    ordered += ["1.0.0", "1.0.1", "1.10.0", "v2.0.0"]
    versions = [version(text) for text in ordered]
    assert all(low < high for low, high in pairwise(versions))


@pytest.mark.parametrize("text", ["", "latest", "1.2.3.4", "1.x", "v"])
def test_what_is_no_version(text: str) -> None:
    assert Version.parse(text) is None


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("1.2.3", ["1.2.3"], ["1.2.4", "1.2.2"]),
        ("1.2", ["1.2.0", "1.2.9"], ["1.3.0", "1.1.9"]),
        ("1.x", ["1.0.0", "1.9.9"], ["2.0.0", "0.9.0"]),
        ("*", ["0.0.1", "9.9.9"], ["1.0.0-rc.1"]),
        (">=1.0.0 <2.0.0", ["1.0.0", "1.9.9"], ["2.0.0", "0.9.9"]),
        (">=1.0.0, <2.0.0", ["1.5.0"], ["2.0.0"]),
        (">1.2", ["1.3.0"], ["1.2.9"]),
        ("<=1.2", ["1.2.9", "1.0.0"], ["1.3.0"]),
        ("!=1.2.3", ["1.2.4"], ["1.2.3"]),
        ("~1.2.3", ["1.2.3", "1.2.9"], ["1.3.0", "1.2.2"]),
        ("~1", ["1.0.0", "1.9.0"], ["2.0.0"]),
        ("^1.2.3", ["1.2.3", "1.9.0"], ["2.0.0", "1.2.2"]),
        ("^0.2.3", ["0.2.9"], ["0.3.0"]),
        ("^0.0.3", ["0.0.3"], ["0.0.4"]),
        ("1.0 - 2.0", ["1.0.0", "2.0.9"], ["2.1.0", "0.9.9"]),
        ("1.x || 3.x", ["1.1.0", "3.0.0"], ["2.0.0"]),
        (">=1.0.0-0", ["1.0.0-rc.1", "1.0.0"], ["0.9.0"]),
    ],
)
def test_ranges(text: str, inside: list[str], outside: list[str]) -> None:
    wanted = SemverRange(text)
    assert [name for name in inside if version(name) not in wanted] == []
    assert [name for name in outside if version(name) in wanted] == []


@pytest.mark.parametrize("text", ["", "what", ">", "1.2.3 what", "1 - x - 2"])
def test_what_is_no_range(text: str) -> None:
    with pytest.raises(ValueError, match="improper constraint"):
        SemverRange(text)


def test_the_highest_name_in_a_range_is_chosen_and_others_passed_over() -> None:
    names = ["latest", "v1.2.0", "1.10.0", "v2.0.0", "1.11.0-rc.1"]
    assert SemverRange("1.x").highest(names) == "1.10.0"
    assert SemverRange("5.x").highest(names) == ""
