from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.pull.flux.substitution import check_names, substitute

VALUES = {"v": "main-v1.2.3", "empty": "", "word": "hello"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${v}", "main-v1.2.3"),
        ("a ${word} b ${word}", "a hello b hello"),
        ("$word stays", "$word stays"),
        ("$${word}", "${word}"),
        ("${#word}", "5"),
        ("${word^}", "Hello"),
        ("${word^^}", "HELLO"),
        ("${no:-Up}", "Up"),
        ("${word:1}", "ello"),
        ("${word:1:3}", "ell"),
        ("${v#main-}", "v1.2.3"),
        ("${v#*.}", "2.3"),
        ("${v##*.}", "3"),
        ("${v%.*}", "main-v1.2"),
        ("${v%%.*}", "main-v1"),
        ("${no-d}", "d"),
        ("${empty-d}", ""),
        ("${empty:-d}", "d"),
        ("${no=d}", "d"),
        ("${empty:=d}", "d"),
        ("${no:-${word}}", "hello"),
        ("${word/l/L}", "heLlo"),
        ("${word//l/L}", "heLLo"),
        ("${word/#he/HE}", "HEllo"),
        ("${word/%lo/LO}", "helLO"),
        ("plain", "plain"),
    ],
)
def test_functions(text: str, expected: str) -> None:
    assert substitute(text, VALUES, strict=True) == expected


def test_a_missing_value_is_an_error_or_empty() -> None:
    with pytest.raises(ValueError, match=r'variable not set \(strict mode\): "no"'):
        substitute("${no}", VALUES, strict=True)
    assert substitute("a${no}b", VALUES, strict=False) == "ab"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("${", "missing closing brace"),
        ("${a:-${b}", "missing closing brace"),
        ("${1}", "unable to parse variable name"),
        ("${}", "unable to parse variable name"),
        ("${word+x}", "unknown function"),
        ("${word:?x}", "unknown function"),
        ("${word${empty}}", "unknown function"),
        ("${no:-" * 2000 + "}" * 2000, "nested more than 50 deep"),
        ("${word}" * 700_000, "grows beyond 3,145,728 characters"),
    ],
)
def test_what_cannot_be_parsed_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        substitute(text, VALUES, strict=False)


@pytest.mark.parametrize("name", ["a-b", "1a", "", "a b"])
def test_names_are_checked(name: str) -> None:
    with pytest.raises(ValueError, match="var name is invalid"):
        check_names({name: "x"})


@given(st.text(alphabet="${}abc:-/#%^, ", max_size=20))
def test_any_text_is_substituted_or_refused(text: str) -> None:
    try:
        found = substitute(text, {"a": "1", "b": ""}, strict=False)
    except ValueError:
        return
    if "${" not in text:
        assert found == text


@given(st.text(max_size=30).filter(lambda text: "${" not in text and not text.endswith("$")))
def test_values_are_put_in_as_they_are(text: str) -> None:
    assert substitute("<${a}>", {"a": text}, strict=True) == f"<{text}>"


@given(st.text(alphabet="ab*?", max_size=8), st.text(alphabet="ab", max_size=8))
def test_the_shortest_and_the_longest_match_are_cut_off_either_end(glob: str, text: str) -> None:
    starts = [end for end in range(len(text) + 1) if fnmatchcase(text[:end], glob)]
    ends = [start for start in range(len(text) + 1) if fnmatchcase(text[start:], glob)]
    wanted = (
        text[min(starts, default=0) :],
        text[max(starts, default=0) :],
        text[: max(ends, default=len(text))],
        text[: min(ends, default=len(text))],
    )
    marks = ("#", "##", "%", "%%")
    values = {"v": text}
    assert tuple(substitute(f"${{v{m}{glob}}}", values, strict=True) for m in marks) == wanted


def test_a_glob_of_many_stars_takes_no_longer_than_others() -> None:
    value = "a" * 200
    assert substitute("${v##" + "*a" * 30 + "b}", {"v": value}, strict=True) == value
