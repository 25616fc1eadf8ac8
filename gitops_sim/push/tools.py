"""The commands of a runner that work on text and files of the workspace.

Differs: only the options named here.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from gitops_sim.push.shell_streams import Call, Tool
from gitops_sim.push.tools_patterns import grep, read_texts, sed

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


def _cat(call: Call) -> int:
    status = 0
    for _, text in read_texts(call, call.args):
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
    for _, text_of in read_texts(call, args):
        if text_of is None:
            status = 1
        else:
            call.say("".join(pick(text_of.splitlines(keepends=True), count)))
    return status


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
    "grep": grep,
    "head": _head,
    "ls": _ls,
    "mkdir": _mkdir,
    "mv": _cp,
    "printf": _printf,
    "pwd": _pwd,
    "rm": _rm,
    "sed": sed,
    "tail": _tail,
    "test": _test,
    "true": _true,
}
