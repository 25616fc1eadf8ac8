"""Semantic versions and the ranges that `spec.ref.semver` may ask for.

Source: github.com/Masterminds/semver v3, version.go and constraints.go.
Differs: a range that cannot be read is said to be so without the library's longer explanations.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

__all__ = ["SemverRange", "Version"]

_VERSION: Final = re.compile(
    r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?"
)
_PART: Final = re.compile(
    r"\s*(=|==|!=|>=|=>|<=|=<|>|<|~|~>|\^)?\s*"
    r"v?([0-9]+|[xX*])(?:\.([0-9]+|[xX*]))?(?:\.([0-9]+|[xX*]))?"
    r"(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?\s*,?"
)
_HYPHEN: Final = re.compile(r"\s*(\S+)\s+-\s+(\S+)\s*")


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A version; ordering is that of semver.org, where a release follows its pre-releases."""

    major: int
    minor: int
    patch: int
    _rank: tuple[tuple[int, int, str], ...] = field(default=(), repr=False)
    prerelease: str = field(default="", compare=False)

    @classmethod
    def parse(cls, text: str) -> Version | None:
        """Read `1.2.3`, `v1.2.3-rc.1`, `1.2`; None when it is no version."""
        found = _VERSION.fullmatch(text.strip())
        if not found:
            return None
        major, minor, patch, pre = found.groups()
        return cls.of(int(major), int(minor or 0), int(patch or 0), pre or "")

    @classmethod
    def of(cls, major: int, minor: int, patch: int, prerelease: str = "") -> Version:
        """Return a version of its parts; no pre-release means a release."""
        return cls(major, minor, patch, _ranked(prerelease), prerelease)


def _ranked(prerelease: str) -> tuple[tuple[int, int, str], ...]:
    """Order: identifiers by number or text, numbers first, fewer before more, none last."""
    if not prerelease:
        return ((2, 0, ""),)
    return tuple(
        (0, int(part), "") if part.isdigit() else (1, 0, part) for part in prerelease.split(".")
    )


@dataclass(frozen=True, slots=True)
class _Bound:
    operator: str
    version: Version
    precision: int

    def holds(self, version: Version) -> bool:
        """Tell whether a version is within this bound."""
        if version.prerelease and not self.version.prerelease:
            return False
        low, high = self.version, self._next()
        match self.operator:
            case "!=":
                return not (low <= version < high) if self.precision < 3 else version != low
            case ">":
                return version >= high if self.precision < 3 else version > low
            case ">=" | "=>":
                return version >= low
            case "<":
                return version < low
            case "<=" | "=<":
                return version < high if self.precision < 3 else version <= low
            case "~" | "~>":
                return low <= version < self._next(min(self.precision, 2))
            case "^":
                return low <= version < self._caret()
            case _:
                return low <= version < high if self.precision < 3 else version == low

    def _next(self, precision: int | None = None) -> Version:
        """Return the first version beyond what the written numbers say."""
        kept = self.precision if precision is None else precision
        version = self.version
        if kept == 0:
            return Version.of(10**9, 0, 0)
        if kept == 1:
            return Version.of(version.major + 1, 0, 0)
        if kept == 2:
            return Version.of(version.major, version.minor + 1, 0)
        return Version.of(version.major, version.minor, version.patch + 1)

    def _caret(self) -> Version:
        version = self.version
        if version.major or self.precision <= 1:
            return self._next(min(self.precision, 1))
        if version.minor or self.precision == 2:
            return self._next(2)
        return self._next(3)


class SemverRange:
    """A range such as `>=1.0.0 <2.0.0`, `^1.2`, `~1.2.3`, `1.x`, `1.0 - 2.0 || 3.x`.

    Args:
        text: As written.

    Raises:
        ValueError: It is no range.
    """

    def __init__(self, text: str) -> None:
        self._choices = [_bounds(choice, text) for choice in text.split("||")]

    def __contains__(self, version: Version) -> bool:
        """True when one of the alternatives takes the version."""
        return any(all(bound.holds(version) for bound in bounds) for bounds in self._choices)

    def highest(self, names: list[str]) -> str:
        """Return the name with the highest version in the range; "" when none is in it."""
        best: tuple[Version, str] | None = None
        for name in names:
            version = Version.parse(name)
            if version is None or version not in self:
                continue
            if best is None or (version, name) > best:
                best = (version, name)
        return best[1] if best else ""


def _bounds(choice: str, text: str) -> list[_Bound]:
    hyphen = _HYPHEN.fullmatch(choice)
    if hyphen:
        choice = f">={hyphen[1]} <={hyphen[2]}"
    found: list[_Bound] = []
    end = 0
    for part in _PART.finditer(choice):
        if part.start() != end:
            break
        operator, major, minor, patch, pre = part.groups()
        numbers = [number for number in (major, minor, patch) if number and number not in "xX*"]
        precision = len(numbers)
        first, second, third = (*(int(number) for number in numbers), 0, 0, 0)[:3]
        version = Version.of(first, second, third, pre or "")
        found.append(_Bound(operator or "=", version, precision))
        end = part.end()
    if not found or end != len(choice):
        raise ValueError(f"improper constraint: {text}")
    return found
