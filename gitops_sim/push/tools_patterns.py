"""The commands of a runner that look for patterns: `sed` and `grep`.

Source: sed(1), grep(1).
Differs: `sed` substitutes only; patterns are Python's, without repetitions of repetitions, which
can take its engine hours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from gitops_sim.errors import UnknownRefError
from gitops_sim.push.shell_streams import Call

__all__ = ["grep", "read_texts", "sed"]

_PART = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\??|[|*+{]|\)[*+{]?", re.DOTALL)
"""What decides how a pattern nests: escapes and sets first, so that what is in them does not."""


def read_texts(call: Call, names: list[str]) -> Iterator[tuple[str, str | None]]:
    """Yield the texts of files, or of the standard input; None for one that cannot be read."""
    for name in names or ["-"]:
        if name == "-":
            yield name, call.streams.stdin
            continue
        path = call.path(name)
        try:
            data = call.shell.workspace.read(path if path is not None else "\0")
            yield name, data.decode(errors="replace")
        except UnknownRefError:
            folder = path is not None and call.shell.workspace.is_directory(path)
            call.complain(f"{name}: {'Is a directory' if folder else 'No such file or directory'}")
            yield name, None


@dataclass(frozen=True, slots=True)
class _Substitution:
    """What `s/pattern/text/flags` says; `text` as Python writes replacements."""

    pattern: re.Pattern[str]
    text: str
    every: bool

    def applied(self, call: Call, content: str) -> str:
        """Return a text with the matches in each line replaced; what comes new is counted."""
        return "\n".join(self._line(call, line) for line in content.split("\n"))

    def _line(self, call: Call, line: str) -> str:
        parts, at = [], 0
        for match in islice(self.pattern.finditer(line), None if self.every else 1):
            new = match.expand(self.text)
            call.shell.allowance.make_text(len(new))
            parts += [line[at : match.start()], new]
            at = match.end()
        return "".join([*parts, line[at:]])


def sed(call: Call) -> int:
    """Substitute: `sed [-i] [-E] 's/pattern/text/[gi]' [file …]`."""
    args = list(call.args)
    options = []
    while args and args[0].startswith("-") and args[0] != "-":
        options.append(args.pop(0))
        if options[-1] == "-e":
            break
    script = args.pop(0) if args else ""
    if set(options) - {"-i", "-E", "-r", "-e"}:
        return _not_understood(call)
    substitution = _substitution(call, script, extended=bool({"-E", "-r"} & set(options)))
    if substitution is None:
        return 1
    status = 0
    for name, content in read_texts(call, args):
        if content is None:
            status = 1
            continue
        changed = substitution.applied(call, content)
        if "-i" in options and name != "-":
            call.shell.workspace.write(call.path(name) or "", changed.encode())
        else:
            call.say(changed)
    return status


def _not_understood(call: Call) -> int:
    call.complain(f"not understood here: {' '.join(call.args)}; only s/pattern/text/[gi]")
    return 1


def _substitution(call: Call, script: str, *, extended: bool) -> _Substitution | None:
    """Read a script of `sed`; None after saying what is wrong with it."""
    match = re.fullmatch(r"s(?P<by>[^\w\s\\])(?P<rest>.*)", script, re.DOTALL)
    parts = re.split(rf"(?<!\\){re.escape(match['by'])}", match["rest"]) if match else []
    if match is None or len(parts) != 3 or set(parts[2]) - set("gi"):
        _not_understood(call)
        return None
    pattern, text, flags = (part.replace(f"\\{match['by']}", match["by"]) for part in parts)
    if not extended:  # basic patterns: + ? | ( ) { } mean themselves
        pattern = re.sub(
            r"\\?([+?|(){}])", lambda m: m[1] if len(m[0]) > 1 else f"\\{m[1]}", pattern
        )
    text = re.sub(r"\\(?!\d)(.)", r"\1", text.replace("\\n", "\n"))
    text = re.sub(r"(?<!\\)&", r"\\g<0>", text)
    compiled = _compiled(call, pattern, ignore_case="i" in flags)
    if compiled is None:
        return None
    for group in re.findall(r"\\(\d)", text):
        if int(group) > compiled.groups:
            call.complain(f"invalid reference \\{group} on `s' command's RHS")
            return None
    text = re.sub(r"\\(\d)", r"\\g<\1>", text)
    return _Substitution(compiled, text, "g" in flags)


def grep(call: Call) -> int:
    """Look for a pattern: `grep [-qviEFcn] pattern [file …]`."""
    args, options = list(call.args), ""
    while args and args[0].startswith("-") and args[0] != "-":
        options += args.pop(0).lstrip("-")
    if set(options) - set("qvEicFn") or not args:
        call.complain("usage: grep [-qviEFcn] pattern [file …]")
        return 2
    pattern = args.pop(0)
    if "F" in options:
        pattern = re.escape(pattern)
    compiled = _compiled(call, pattern, ignore_case="i" in options)
    if compiled is None:
        return 2
    count, status = 0, 1
    for name, text in read_texts(call, args):
        if text is None:
            status = 2
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if bool(compiled.search(line)) == ("v" in options):
                continue
            count += 1
            if not set(options) & set("qc"):
                place = f"{name}:" if len(args) > 1 else ""
                place += f"{number}:" if "n" in options else ""
                call.say(f"{place}{line}\n")
    if "c" in options:
        call.say(f"{count}\n")
    return 0 if count else status


def _compiled(call: Call, pattern: str, *, ignore_case: bool) -> re.Pattern[str] | None:
    """Return a pattern that is safe to look for; else say what is wrong with it."""
    if _repeats_repetitions(pattern):
        call.complain(f"{pattern}: a repetition within a repetition is not understood here")
        return None
    try:
        return re.compile(pattern, re.IGNORECASE if ignore_case else 0)
    except (re.error, RecursionError, OverflowError) as wrong:
        call.complain(f"{pattern}: {wrong}")
        return None


def _repeats_repetitions(pattern: str) -> bool:
    """Tell whether a repeated group holds a repetition or a choice.

    Python's engine tries all ways to share a text out among them: with 40 characters, for hours.
    """
    open_groups = [False]
    for part in _PART.finditer(pattern):
        found = part[0]
        if found.startswith("("):
            open_groups.append(False)
        elif found.startswith(")"):
            holds = open_groups.pop() if len(open_groups) > 1 else False
            if holds and len(found) > 1:
                return True
            open_groups[-1] |= holds or len(found) > 1
        elif found in ("|", "*", "+", "{"):
            open_groups[-1] = True
    return False
