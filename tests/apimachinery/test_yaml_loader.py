"""Reading YAML: what Kubernetes reads, and nothing that hurts."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.apimachinery import yaml_loader
from gitops_sim.apimachinery.yaml_loader import MAX_ALIASES, dump, load_all
from gitops_sim.errors import ManifestError

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False).filter(lambda f: not f.is_integer())
    | st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"))),
    lambda children: (
        st.lists(children, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="ascii", min_codepoint=32)), children)
    ),
    max_leaves=12,
)


@pytest.fixture(params=["c", "pure"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a test with the C parser and without it."""
    if request.param == "pure":
        monkeypatch.delattr(yaml, "CSafeLoader")
    return str(request.param)


def one(text: str) -> object:
    (document,) = load_all(text)
    return document.manifest


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # go.yaml.in/yaml/v2 decode_test.go, through sigs.k8s.io/yaml to JSON
        ("yes", True),
        ("On", True),
        ("y", True),
        ("NO", False),
        ("yEs", "yEs"),
        ("~", None),
        ("Null", None),
        ("nuLL", "nuLL"),
        ("0777", 511),
        ("0o14", 12),
        ("08", 8),
        ("0x1F", 31),
        ("-0b11", -3),
        ("+12", 12),
        ("685_230", 685230),
        ("1e3", 1000),
        ("1.0", 1),
        ("6.8523015e+5", 685230.15),
        (".5", 0.5),
        (".e3", ".e3"),
        ("1.2.3", "1.2.3"),
        ("12:30:45", "12:30:45"),
        ("2026-01-05", "2026-01-05"),
        ("2026-01-05T09:00:00Z", "2026-01-05T09:00:00Z"),
        ("=", "="),
        ("9223372036854775807", 9223372036854775807),
        ("9223372036854775808", 9223372036854775808.0),
        ("!!str 5", "5"),
        ('!!int "5"', 5),
        ("!!float 5", 5),
        ("!!binary aGk=", "hi"),
        ("!custom x", "x"),
        ('"5"', "5"),
        ("'yes'", "yes"),
    ],
)
def test_scalars_mean_what_they_mean_to_kubernetes(parser: str, text: str, value: object) -> None:
    read = one(f"a: {text}")
    assert read == {"a": value}
    assert type(read["a"]) is type(value)  # type: ignore[index]


def test_keys_become_text() -> None:
    assert one("1: a\ntrue: b\n1.5: c\n0x10: d\n") == {"1": "a", "true": "b", "1.5": "c", "16": "d"}


def test_documents_tell_their_line_and_empty_ones_are_left_out(parser: str) -> None:
    text = "# nothing\n---\n---\n# c\na: 1\n---\n---\nb: 2\n...\n"
    assert [(d.manifest, d.line, d.index) for d in load_all(text)] == [
        ({"a": 1}, 5, 0),
        ({"b": 2}, 8, 1),
    ]
    assert load_all("") == []


def test_merge_keys_and_aliases_give_copies() -> None:
    read = one("base: &b {x: 1, l: [1]}\nz: {x: 9, <<: *b}\nw:\n  <<: [*b, {q: 1, x: 5}]\nv: *b\n")
    assert isinstance(read, dict)
    assert read["z"] == {"x": 9, "l": [1]}
    assert read["w"] == {"x": 1, "l": [1], "q": 1}
    assert read["v"] == read["base"]
    read["v"]["l"].append(2)
    assert read["base"] == {"x": 1, "l": [1]}


def test_json_with_tabs_is_read() -> None:
    assert one('\n{\n\t"a": 1.0,\n\t"b": [true, null, "\\u00e9"]}') == {
        "a": 1,
        "b": [True, None, "é"],
    }


@pytest.mark.parametrize(
    ("text", "line", "problem", "fix"),
    [
        ("a: 1\nb:\n\tc: 1\n", 3, "cannot start any token", "spaces, not tabs"),
        ("a: 1\nb: 2\na: 3\n", 3, "duplicate key 'a', first on line 1", "keep one"),
        ('{"a": 1, "a": 2}', 1, "duplicate key 'a'", "keep one"),
        ("a: 1\nb: \x00\n", 2, "not allowed", "control character"),
        (b"a: 1\nb: \xff\xfe", 2, "not UTF-8", "save it as UTF-8"),
        ("a: b: c\n", 1, "mapping values are not allowed", "indentation"),
        ("a: [1, 2\nb: 3\n", 2, "", "indentation"),
        ("a: *nope\n", 1, "alias *nope without an anchor", "&nope"),
        ("a: &x [*x]\n", 1, "alias *x without an anchor", "&x"),
        ("? [a]\n: 1\n", 1, "a key is a list or mapping", ""),
        ("~: 1\n", 1, "a key is null", "quotes"),
        ("a: .inf\n", 1, "no number that JSON knows", "quotes"),
        ("a: !!int x\n", 1, "'x' is no int", "quotes"),
        ("a: !!binary '?'\n", 1, "!!binary", ""),
        ("a:\n  <<: 5\n", 2, "merge (<<)", "alias"),
        ("a: 1\n---\nb: 'x\n", 4, "", ""),
    ],
)
def test_broken_yaml_names_line_and_fix(
    parser: str, text: str | bytes, line: int, problem: str, fix: str
) -> None:
    with pytest.raises(ManifestError) as error:
        load_all(text, "apps/web.yaml")
    assert (error.value.file, error.value.line) == ("apps/web.yaml", line)
    assert problem in error.value.problem
    assert fix in error.value.fix


@pytest.mark.parametrize("text", ["[", "{a: ", "- ", '{"a":', "[[{x: ["])
def test_hundred_thousand_levels_are_refused(parser: str, text: str) -> None:
    with pytest.raises(ManifestError, match="nested deeper than 100 levels"):
        load_all(text * 100_000)


def test_deep_json_is_refused() -> None:
    with pytest.raises(ManifestError, match="nested deeper"):
        load_all('{"a":' * 200 + "1" + "}" * 200)


def test_alias_bombs_are_refused(parser: str) -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n"
    for before, after in zip("abcdefgh", "bcdefghi", strict=True):
        bomb += f"{after}: &{after} [{', '.join(['*' + before] * 9)}]\n"
    with pytest.raises(ManifestError, match="aliases add up"):
        load_all(bomb)
    with pytest.raises(ManifestError, match="more than 100 aliases"):
        load_all("a: &a 1\n" + "".join(f"b{n}: *a\n" for n in range(MAX_ALIASES + 1)))


def test_a_file_over_the_limit_is_refused_without_reading_it() -> None:
    huge = "x" * 50_000_000
    with pytest.raises(ManifestError, match="over the limit of 3 MiB"):
        load_all(huge)
    with pytest.raises(ManifestError, match="over the limit"):
        load_all("é" * (yaml_loader.MAX_BYTES // 2 + 1))


def test_half_a_surrogate_pair_is_refused(parser: str) -> None:
    for text in ('a: "\\ud800"', '{"a": "\\ud800"}'):
        with pytest.raises(ManifestError):
            load_all(text)


def test_a_byte_order_mark_is_ignored() -> None:
    assert load_all(b"\xef\xbb\xbfa: 1\n")[0].manifest == {"a": 1}
    assert load_all("\ufeffa: 1\n")[0].manifest == {"a": 1}


@given(st.dictionaries(st.text(st.characters(codec="ascii", min_codepoint=32)), JSON_VALUES))
def test_what_is_dumped_is_read_again(value: dict[str, object]) -> None:
    documents = load_all(dump({"root": value}))
    assert documents[0].manifest == {"root": value}


@given(st.text(max_size=60))
def test_no_text_crashes_the_loader(text: str) -> None:
    try:
        load_all(text)
    except ManifestError as error:
        assert error.problem  # noqa: PT017 - any text may be fine or not
