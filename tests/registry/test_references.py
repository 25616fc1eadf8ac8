import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.errors import ImagePullError
from gitops_sim.registry import parse_reference

DIGEST = "sha256:" + "ab" * 32


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("nginx:1.27", "docker.io/library/nginx:1.27"),
        ("shop/web:1.2", "docker.io/shop/web:1.2"),
        ("docker.io/nginx", "docker.io/library/nginx:latest"),
        ("ghcr.io/shop/web", "ghcr.io/shop/web:latest"),
        ("localhost/web:1", "localhost/web:1"),
        ("localhost:5000/web", "localhost:5000/web:latest"),
        ("gcr.io/a/b/c:v1", "gcr.io/a/b/c:v1"),
        (f"nginx@{DIGEST}", f"docker.io/library/nginx@{DIGEST}"),
        (f"nginx:1@{DIGEST}", f"docker.io/library/nginx:1@{DIGEST}"),
    ],
)
def test_short_names_are_completed_as_docker_does(text: str, full: str) -> None:
    assert str(parse_reference(text)) == full


@pytest.mark.parametrize(
    "text", ["", "web:", ":1", "a b", "web@sha256:12", "-web", "web:.1", "a//b"]
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(ImagePullError, match="couldn't parse image name"):
        parse_reference(text)


def test_upper_case_is_named_as_the_problem() -> None:
    with pytest.raises(ImagePullError) as refused:
        parse_reference("Shop-Web:1")
    assert str(refused.value) == (
        'Failed to apply default image tag "Shop-Web:1": couldn\'t parse image name '
        '"Shop-Web:1": invalid reference format: repository name (library/Shop-Web) '
        "must be lowercase"
    )


def test_a_name_longer_than_255_characters_is_refused() -> None:
    with pytest.raises(ImagePullError, match="must not be more than 255 characters"):
        parse_reference("a" * 300)


@given(st.from_regex(r"[a-z0-9]+(/[a-z0-9]+){0,3}(:[a-z0-9.]+)?", fullmatch=True))
def test_a_full_name_stays_as_it_is(text: str) -> None:
    try:
        full = str(parse_reference(text))
    except ImagePullError:
        return  # a tag that begins with a dot
    assert str(parse_reference(full)) == full
