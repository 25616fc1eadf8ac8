"""Regular expressions as Go reads them: what is wrong with one.

Source: Go's regexp/syntax.
Differs: patterns are tried with Python's engine; of the problems that only Go has, look-around,
references back and counts over 1000 are known.
"""

from __future__ import annotations

import re
import warnings
from functools import lru_cache

__all__ = ["pattern_problem"]

_GO_ONLY = re.compile(r"\\(?:[pP](?:\{\^?\w+\}|[A-Z])|[zCQE])|\(\?[imsU-]+[:)]")
"""What only Go knows: classes of Unicode, the end of the text, flags anywhere."""
_PYTHON_ONLY = (
    (re.compile(r"\(\?(?:[=!#(]|P[=>])"), "invalid or unsupported Perl syntax"),
    (re.compile(r"\(\?<[=!].*"), "invalid named capture"),
    (re.compile(r"\\[1-9Z]"), "invalid escape sequence"),
)
_COUNT = re.compile(r"\{(\d+)(?:,(\d*))?\}")
_MOST = 1000
_ESCAPED = re.compile(r"\\.", re.DOTALL)


@lru_cache(maxsize=1000)
def pattern_problem(pattern: str) -> str:
    """Return why Go does not compile a pattern, in its words; empty when it does."""
    bare = _ESCAPED.sub(
        lambda found: "__" if found[0] in (r"\(", r"\[", r"\{", r"\\") else found[0], pattern
    )
    for foreign, text in _PYTHON_ONLY:
        found = foreign.search(bare)
        if found:
            return _told(text, found[0])
    for count in _COUNT.finditer(bare):
        if any(int(limit) > _MOST for limit in count.groups() if limit):
            return _told("invalid repeat count", count[0])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(_GO_ONLY.sub(lambda found: "(" if found[0].endswith(":") else "x", pattern))
    except re.error as error:
        return _of_python(error, pattern)
    return ""


def _of_python(error: re.error, pattern: str) -> str:
    """Return Go's text for a problem that Python found."""
    rest = pattern[error.pos or 0 :]
    match error.msg.split(",")[0]:
        case "unterminated character set":
            return _told("missing closing ]", rest)
        case "missing )":
            return _told("missing closing )", pattern)
        case "unbalanced parenthesis":
            return _told("unexpected )", pattern)
        case "nothing to repeat":
            return _told("missing argument to repetition operator", rest[:1])
        case "multiple repeat":
            return _told("invalid nested repetition operator", pattern[(error.pos or 1) - 1 :][:2])
        case "bad escape (end of pattern)":
            return _told("trailing backslash at end of expression", "")
        case text if text.startswith("bad character range"):
            return _told("invalid character class range", text.removeprefix("bad character range "))
        case text if text.startswith("bad escape"):
            return _told("invalid escape sequence", rest[:2])
        case _:
            return _told("invalid or unsupported Perl syntax", rest[:3])


def _told(problem: str, where: str) -> str:
    return f"error parsing regexp: {problem}: `{where}`"
