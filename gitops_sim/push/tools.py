"""The commands of a runner that work on text and files of the workspace.

Differs: only the options named here; `sed` substitutes only, patterns are Python's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from gitops_sim.errors import UnknownRefError
from gitops_sim.push.shell_streams import Call, Tool

__all__ = ["TOOLS"]


def _echo(call: Call) -> int:
    args, end = call.args, "\n"
    while args and args[0] in ("-n", "-e"):
        end = "" if args[0] == "-n" else end
        args = args[1:]
    call.say(" ".join(args) + end)
    return 0


def _printf(call: Call) -> int:
    """Print by a pattern with %s and %d, again and again until no argument is left."""
    if not call.args:
        call.complain("usage: printf format [arguments]")
        return 2
    escapes = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\"}
    pattern = re.sub(r"\\([ntr\\])", lambda match: escapes[match[1]], call.args[0])
    values = call.args[1:]

    def one(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        return values.pop(0) if values else ("" if match[0] == "%s" else "0")

    while True:
        left = len(values)
        call.say(re.sub(r"%[sd%]", one, pattern))
        if not values or len(values) == left:
            return 0


def _texts(call: Call, names: list[str]) -> Iterator[tuple[str, str | None]]:
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


def _cat(call: Call) -> int:
    status = 0
    for _, text in _texts(call, call.args):
        if text is None:
            status = 1
        else:
            call.say(text)
    return status


def _head(call: Call) -> int:
    return _lines(call, lambda lines, count: lines[:count])


def _tail(call: Call) -> int:
    return _lines(call, lambda lines, count: lines[-count:] if count else [])


def _lines(call: Call, pick: Callable[[list[str], int], list[str]]) -> int:
    args, count = list(call.args), 10
    if args and args[0].startswith("-") and args[0] != "-":
        word = args.pop(0)
        text = (args.pop(0) if args else "") if word == "-n" else word.removeprefix("-n")
        if not text.lstrip("-").isdigit():
            call.complain(f"invalid number of lines: {text!r}")
            return 1
        count = int(text.lstrip("-"))
    status = 0
    for _, text_of in _texts(call, args):
        if text_of is None:
            status = 1
        else:
            call.say("".join(pick(text_of.splitlines(keepends=True), count)))
    return status


def _sed(call: Call) -> int:
    """Substitute: `sed [-i] [-E] 's/pattern/text/[gi]' [file …]`."""
    args = list(call.args)
    options = []
    while args and args[0].startswith("-") and args[0] != "-":
        options.append(args.pop(0))
        if options[-1] == "-e":
            break
    known = {"-i", "-E", "-r", "-e"}
    script = args.pop(0) if args else ""
    match = re.fullmatch(r"s(?P<by>[^\w\s\\])(?P<rest>.*)", script, re.DOTALL)
    parts = re.split(rf"(?<!\\){re.escape(match['by'])}", match["rest"]) if match else []
    if set(options) - known or len(parts) != 3 or set(parts[2]) - set("gi"):
        call.complain(f"not understood here: {' '.join(call.args)}; only s/pattern/text/[gi]")
        return 1
    assert match is not None
    pattern, text, flags = (part.replace(f"\\{match['by']}", match["by"]) for part in parts)
    if not {"-E", "-r"} & set(options):  # basic patterns: + ? | ( ) { } mean themselves
        pattern = re.sub(
            r"\\?([+?|(){}])", lambda m: m[1] if len(m[0]) > 1 else f"\\{m[1]}", pattern
        )
    text = re.sub(r"\\(?!\d)(.)", r"\1", text.replace("\\n", "\n"))
    text = re.sub(r"(?<!\\)&", r"\\g<0>", text)
    try:
        compiled = re.compile(pattern, re.IGNORECASE if "i" in flags else 0)
    except re.error as wrong:
        call.complain(f"{pattern}: {wrong}")
        return 1
    status = 0
    for name, content in _texts(call, args):
        if content is None:
            status = 1
            continue
        lines = content.split("\n")
        changed = "\n".join(compiled.sub(text, line, 0 if "g" in flags else 1) for line in lines)
        if "-i" in options and name != "-":
            call.shell.workspace.write(call.path(name) or "", changed.encode())
        else:
            call.say(changed)
    return status


def _grep(call: Call) -> int:
    args, options = list(call.args), ""
    while args and args[0].startswith("-") and args[0] != "-":
        options += args.pop(0).lstrip("-")
    if set(options) - set("qvEicFn") or not args:
        call.complain("usage: grep [-qviEFcn] pattern [file …]")
        return 2
    pattern = args.pop(0)
    if "F" in options:
        pattern = re.escape(pattern)
    try:
        compiled = re.compile(pattern, re.IGNORECASE if "i" in options else 0)
    except re.error as wrong:
        call.complain(f"{pattern}: {wrong}")
        return 2
    count, status = 0, 1
    for name, text in _texts(call, args):
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


def _test(call: Call) -> int:
    args = list(call.args)
    if call.name == "[" and (not args or args.pop() != "]"):
        call.complain("missing `]'")
        return 2
    negated = False
    while args and args[0] == "!" and len(args) > 1:
        negated = not negated
        args.pop(0)
    answer = _answer(call, args)
    if answer is None:
        call.complain(f"not understood here: {' '.join(args)}")
        return 2
    return int(answer == negated)


def _answer(call: Call, args: list[str]) -> bool | None:
    """Return what a test says; None when it is not understood."""
    workspace = call.shell.workspace
    if len(args) < 2:
        return bool(args and args[0])
    if len(args) == 2:
        path = call.path(args[1])
        there = path is not None and workspace.exists(path)
        folder = there and path is not None and workspace.is_directory(path)
        answers = {
            "-n": bool(args[1]),
            "-z": not args[1],
            "-e": there,
            "-d": folder,
            "-f": there and not folder,
            "-r": there,
            "-s": there and not folder and bool(workspace.read(path or "")),
        }
        return answers.get(args[0])
    if len(args) != 3:
        return None
    left, operator, right = args
    if operator in ("=", "=="):
        return left == right
    if operator == "!=":
        return left != right
    if not (_is_number(left) and _is_number(right)):
        return None
    one, other = int(left), int(right)
    numbers = {
        "-eq": one == other,
        "-ne": one != other,
        "-lt": one < other,
        "-le": one <= other,
        "-gt": one > other,
        "-ge": one >= other,
    }
    return numbers.get(operator)


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"-?\d+", text))


def _ls(call: Call) -> int:
    """List names: of a directory, or the files given."""
    workspace, status = call.shell.workspace, 0
    names = [arg for arg in call.args if not arg.startswith("-")] or ["."]
    for name in names:
        path = call.path(name)
        if path is None or not workspace.exists(path):
            call.complain(f"cannot access '{name}': No such file or directory")
            status = 2
        elif workspace.is_directory(path):
            start = len(path) + 1 if path else 0
            below = {file[start:].split("/")[0] for file in workspace.files(path)}
            call.say("".join(f"{entry}\n" for entry in sorted(below) if not entry.startswith(".")))
        else:
            call.say(f"{name}\n")
    return status


def _pwd(call: Call) -> int:
    root, directory = call.shell.workspace.root, call.shell.directory
    call.say(f"{root}/{directory}\n" if directory else f"{root}\n")
    return 0


def _env(call: Call) -> int:
    call.say("".join(f"{k}={v}\n" for k, v in sorted(call.shell.environment().items())))
    return 0


def _mkdir(call: Call) -> int:
    """Accept any directory of the workspace: they are there as soon as a file is."""
    for name in call.args:
        if not name.startswith("-") and call.path(name) is None:
            call.complain(f"cannot create directory '{name}': Permission denied")
            return 1
    return 0


def _rm(call: Call) -> int:
    options = "".join(arg[1:] for arg in call.args if arg.startswith("-"))
    status, workspace = 0, call.shell.workspace
    for name in (arg for arg in call.args if not arg.startswith("-")):
        path = call.path(name)
        if not path or not workspace.exists(path):
            if "f" not in options:
                call.complain(f"cannot remove '{name}': No such file or directory")
                status = 1
        elif workspace.is_directory(path) and "r" not in options:
            call.complain(f"cannot remove '{name}': Is a directory")
            status = 1
        else:
            workspace.remove(path)
    return status


def _cp(call: Call) -> int:
    """Copy one file; with `mv`, take the first away."""
    names = [arg for arg in call.args if not arg.startswith("-")]
    if len(names) != 2:
        call.complain("usage: one file and where it goes")
        return 1
    workspace, source, target = call.shell.workspace, call.path(names[0]), call.path(names[1])
    if source is None or not workspace.exists(source) or workspace.is_directory(source):
        call.complain(f"cannot stat '{names[0]}': No such file or directory")
        return 1
    if target is None:
        call.complain(f"cannot create regular file '{names[1]}': Permission denied")
        return 1
    if workspace.is_directory(target):
        target = f"{target}/{source.rpartition('/')[2]}".lstrip("/")
    workspace.write(target, workspace.read(source))
    if call.name == "mv":
        workspace.remove(source)
    return 0


def _true(call: Call) -> int:
    del call
    return 0


def _false(call: Call) -> int:
    del call
    return 1


TOOLS: dict[str, Tool] = {
    "[": _test,
    "cat": _cat,
    "cp": _cp,
    "echo": _echo,
    "env": _env,
    "false": _false,
    "grep": _grep,
    "head": _head,
    "ls": _ls,
    "mkdir": _mkdir,
    "mv": _cp,
    "printf": _printf,
    "pwd": _pwd,
    "rm": _rm,
    "sed": _sed,
    "tail": _tail,
    "test": _test,
    "true": _true,
}
