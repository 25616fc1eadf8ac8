"""Commands that change the shell itself: `cd`, `export`, `unset`, `set`, `exit`, `:`."""

from __future__ import annotations

from gitops_sim.push.shell_streams import Call, EndOfScript, Tool

__all__ = ["BUILT_IN"]

OPTIONS = {"e": "errexit", "u": "nounset", "x": "xtrace"}


def _cd(call: Call) -> int:
    target = call.args[0] if call.args else ""
    path = call.path(target or call.shell.workspace.root)
    if path is None or not call.shell.workspace.is_directory(path):
        call.complain(f"{target}: No such file or directory")
        return 1
    call.shell.directory = path
    root = call.shell.workspace.root
    call.shell.variables["PWD"] = f"{root}/{path}" if path else root
    return 0


def _export(call: Call) -> int:
    for word in call.args:
        name, equals, value = word.partition("=")
        if not name.isidentifier():
            call.complain(f"`{word}': not a valid identifier")
            return 1
        if equals:
            call.shell.variables[name] = value
        call.shell.exported.add(name)
    return 0


def _unset(call: Call) -> int:
    for name in call.args:
        call.shell.variables.pop(name, None)
        call.shell.exported.discard(name)
    return 0


def _set(call: Call) -> int:
    """Switch options on with `-` and off with `+`."""
    words = list(call.args)
    while words:
        word = words.pop(0)
        on, letters = word.startswith("-"), word[1:]
        if word[:1] not in ("-", "+") or not letters:
            call.complain(f"{word}: arguments of a script cannot be set here")
            return 2
        for letter in letters:
            name = (words.pop(0) if words else "") if letter == "o" else OPTIONS.get(letter, "")
            if name not in ("errexit", "nounset", "xtrace", "pipefail"):
                call.complain(f"{word}: invalid option")
                return 2
            (call.shell.options.add if on else call.shell.options.discard)(name)
    return 0


def _exit(call: Call) -> int:
    word = call.args[0] if call.args else str(call.shell.status)
    if not word.isdigit():
        call.complain(f"{word}: numeric argument required")
        raise EndOfScript(2)
    raise EndOfScript(int(word) % 256)


def _colon(call: Call) -> int:
    del call
    return 0


BUILT_IN: dict[str, Tool] = {
    ":": _colon,
    "cd": _cd,
    "exit": _exit,
    "export": _export,
    "set": _set,
    "unset": _unset,
}
