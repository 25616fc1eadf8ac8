"""The shell of a runner: the parts of bash that it has behave as bash's."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.push.shell import Shell
from gitops_sim.push.shell_streams import Call, Running, Streams
from gitops_sim.push.tools import TOOLS
from gitops_sim.push.workspace import Workspace
from gitops_sim.types import Step

ROOT = "/home/runner/work/shop/shop"


def args_tool(call: Call) -> int:
    """Print each argument in brackets, to see where words end."""
    call.say("".join(f"[{arg}]" for arg in call.args) + "\n")
    return 0


def nap(call: Call) -> Running:
    yield Step("nap", 1.0)
    call.say("slept\n")
    return 3


class Ran:
    """What a script did."""

    def __init__(self, script: str, files: dict[str, str] | None = None, **variables: str) -> None:
        self.workspace = Workspace(ROOT)
        for path, text in (files or {}).items():
            self.workspace.write(path, text.encode())
        self.out: list[str] = []
        self.err: list[str] = []
        tools = {**TOOLS, "args": args_tool}
        shell = Shell(self.workspace, tools, {"nap": nap}, variables)
        self.steps: list[Any] = []
        self.status = self._drive(shell.run(script, Streams("", self.out.append, self.err.append)))
        self.stdout, self.stderr = "".join(self.out), "".join(self.err)

    def _drive(self, running: Generator[Any, Any, int]) -> int:
        while True:
            try:
                self.steps.append(next(running))
            except StopIteration as end:
                return int(end.value)

    def file(self, path: str) -> str:
        return self.workspace.read(path).decode()


# The same scripts through the real bash


SAME_AS_BASH = [
    "echo a  b   c",
    "echo 'a  b' \"c $X d\" e\\ f '$X' \"\\$X\" \\$X",
    "X=5; echo $X ${X}y \"$X\"'$X'",
    "X='a b'; printf '[%s]\\n' $X \"$X\"",
    "echo one; echo two\necho three # a comment\n# another",
    "echo a#b '#c' # d",
    "true && echo yes || echo no",
    "false && echo yes || echo no",
    "false || false || echo third",
    "! false && echo negated",
    "if false; then echo a; elif true; then echo b; else echo c; fi",
    'if [ -n "$NOPE" ]; then echo set; else echo unset; fi',
    "for f in a 'b c' d; do echo \"<$f>\"; done",
    "for f in; do echo never; done; echo $?",
    "echo hello | cat | sed 's/l/L/g'",
    "printf 'b\\na\\nb\\n' | grep b | grep -c b",
    "echo a > f; echo b >> f; cat f; cat < f",
    '(cd sub 2>/dev/null || echo none; X=1); echo "[$X]"',
    "{ echo a; echo b; } | cat",
    "echo $(echo a b) \"$(echo 'c  d')\" $(true)end",
    'X=$(echo line; echo more); echo "$X"',
    'echo ${NOPE:-default} ${NOPE-other} "${NOPE:+set}" [${NOPE}]',
    "Y=; echo ${Y:-empty} [${Y-unset}] ${Y:+no}",
    'cat <<EOF\nhello $X \\$X "quoted"\n  $(echo inner)\nEOF\necho after',
    "cat <<'EOF'\nhello $X $(no)\nEOF",
    "cat <<-EOF\n\tindented\n\tEOF\necho after",
    "X=1 env | grep '^X='; echo [$X]",
    "export A=1; env | grep '^A='",
    "echo err >&2; echo out",
    "echo both > f 2>&1; cat f",
    "ls nope 2>/dev/null || echo missing",
    "false; echo unreachable",
    "false || true; echo reached",
    "false | true; echo reached",
    "set -o pipefail; false | true; echo unreachable",
    "set +e; false; echo $?",
    "set -e; if false; then :; fi; echo ok",
    "X=$(false); echo unreachable",
    "echo $(false) still",
    "exit 3",
    "(exit 4); echo unreachable",
    "(exit 4) || echo caught $?",
    "echo a; exit; echo b",
    "test 2 -gt 1 && [ a = a ] && [ ! a = b ] && test -z '' && echo all",
    "[ 1 -eq 2 ] || echo differ",
    "echo 'it''s' \"a\"b'c'",
    "echo a\\\nb",
    'echo "a\\\nb"',
    "echo \"tab\\tstays\" 'single \\ stays'",
    "touchless=1; echo ${touchless}",
    "echo -n no; echo ' newline'",
    "echo $? ; false || echo $?",
    'true; echo "$?"',
    "echo a;echo b&&echo c",
    "echo $# end",
    "printf '%s-%s\\n' a b; printf 'x%%\\n'",
    "X=a; X=b echo $X; echo $X",
    "for x in 1 2; do for y in a b; do echo $x$y; done; done",
    "if true; then\n  if false; then\n    echo a\n  else\n    echo b\n  fi\nfi",
    "echo * nothing*matches '*'",
    "P='*.txt'; echo $P \"$P\"",
    "cd nope; echo unreachable",
    "echo {a,b} ~x",
    "A=1 B=2; echo $A$B",
    'echo "${X:-a b}" | cat',
    "[ -f one.txt ] && echo there; [ -d one.txt ] || echo no directory",
    "sed -i 's#one#two#' one.txt; cat one.txt; sed 's/t\\(w\\)o/<\\1>/' one.txt",
    "sed -E 's/(t)+/[&]/g' one.txt; tail -n 1 one.txt; head -1 one.txt",
    "grep -q one one.txt && echo found; grep -v one one.txt || echo nothing else",
    "grep nope one.txt || echo none",
]


@pytest.mark.parametrize("script", SAME_AS_BASH)
def test_a_script_does_what_it_does_in_bash(script: str, tmp_path: Path) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash here to compare with")
    (tmp_path / "one.txt").write_text("one\n")
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/home/runner"}
    real = subprocess.run(
        [bash, "-e", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    ours = Ran(script, {"one.txt": "one\n"})
    if "~x" in script:  # braces are not expanded here: said in the documentation
        assert ours.stdout == "{a,b} ~x\n"
        return
    assert (ours.stdout, ours.status) == (real.stdout, real.returncode)
    assert bool(ours.stderr) == bool(real.stderr)


@given(
    st.lists(st.text(alphabet=st.characters(exclude_characters="\0\r", codec="utf-8"), max_size=8))
)
def test_quoted_words_come_through_as_they_are(words: list[str]) -> None:
    ran = Ran(f"args {shlex.join(words)}")
    assert ran.stdout == "".join(f"[{word}]" for word in words) + "\n"
    assert ran.status == 0


@given(st.text(alphabet="ab $'\"\\|&;<>(){}\n#=*?!`-", max_size=30))
def test_any_script_ends_with_a_status_and_never_raises(script: str) -> None:
    ran = Ran(script)
    assert 0 <= ran.status < 256


# What bash has and this shell refuses, by name


@pytest.mark.parametrize(
    ("script", "what"),
    [
        ("while true; do :; done", "while"),
        ("echo `date`", "a command in backquotes"),
        ("echo $((1 + 1))", "arithmetic"),
        ("sleep 100 &", "a command in the background"),
        ("f() { echo; }", "a function"),
        ("case x in esac", "case"),
        ("[[ a == b ]]", r"\[\["),
        ("cat <<< text", "<<<"),
        ("echo ${X#a}", r"\$\{X#a\}"),
        ("cat 3< f", "redirection 3<"),
    ],
)
def test_syntax_that_is_not_understood_is_named(script: str, what: str) -> None:
    ran = Ran(f"echo first\n{script}")
    assert ran.status == 2
    assert ran.stdout == ""
    assert re.match(rf"bash: line 2: {what}.* is not understood by this runner's shell", ran.stderr)
    assert "write it with" in ran.stderr


@pytest.mark.parametrize(
    "script", ["echo 'a", 'echo "a', "echo $(a", "if true", "fi", "a | | b", ")"]
)
def test_broken_syntax_names_the_line(script: str) -> None:
    ran = Ran(f"\n{script}")
    assert ran.status == 2
    assert ran.stderr.startswith(("bash: line 2: ", "bash: line 3: "))


# What a runner has


def test_an_unknown_command_fails_and_says_what_there_is() -> None:
    ran = Ran("echo a\nhelm upgrade shop .\necho b")
    assert ran.status == 127
    assert ran.stdout == "a\n"
    assert "bash: line 2: helm: command not found\n" in ran.stderr
    assert "this runner has: :, [, args, cat, cd" in ran.stderr


def test_a_command_that_takes_time_yields_its_steps() -> None:
    ran = Ran("nap && echo no || echo status $?")
    assert ran.steps == [Step("nap", 1.0)]
    assert ran.stdout == "slept\nstatus 3\n"


def test_files_are_written_below_the_workspace_only() -> None:
    ran = Ran(f"echo x > sub/a.txt; echo y > {ROOT}/b.txt; cd sub; cat a.txt ../b.txt; pwd")
    assert ran.stdout == f"x\ny\n{ROOT}/sub\n"
    assert ran.workspace.files() == ["b.txt", "sub/a.txt"]
    for target in ("/etc/passwd", "../../x", "sub"):
        refused = Ran(f"mkdir sub; echo x > sub/y\necho x > {target}\necho after")
        assert refused.status == 1
        assert "after" not in refused.stdout
        assert "bash: line 2: " in refused.stderr


def test_patterns_stand_for_files_of_the_workspace() -> None:
    files = {"k/a.yaml": "", "k/b.yaml": "", "k/c.txt": "", "k/.h.yaml": "", "z/a.yaml": ""}
    ran = Ran("args k/*.yaml; args */a.yaml '*' *; cd k; args [ab].*; args x*", files)
    assert ran.stdout == (
        "[k/a.yaml][k/b.yaml]\n[k/a.yaml][z/a.yaml][*][k][z]\n[a.yaml][b.yaml]\n[x*]\n"
    )


def test_files_are_moved_copied_and_removed() -> None:
    ran = Ran("cp a b; mv b c/d; ls; cat c/d; rm a; rm -rf c; ls; rm a || rm -f a", {"a": "text\n"})
    assert ran.stdout == "a\nc\ntext\n"
    assert ran.workspace.files() == []


def test_options_of_the_shell_can_be_set() -> None:
    ran = Ran("set -euxo pipefail\necho $NOPE")
    assert ran.status == 1
    assert "bash: NOPE: unbound variable" in ran.stderr
    assert "+ set" not in Ran("set -x").stderr
    assert Ran("set -x; echo a b").stderr == "+ echo a b\n"
    assert Ran("set -q").status == 2


def test_substitutions_end_at_a_depth() -> None:
    script = "echo a"
    for _ in range(25):
        script = f"echo $({script})"
    assert "more than 20 deep" in Ran(script).stderr


def test_the_workspace_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gitops_sim.push.workspace.MAX_WRITTEN", 10)
    ran = Ran("echo 12345 > a\necho 1234567 > b\necho after")
    assert ran.status == 1
    assert "no space left on the runner" in ran.stderr
    assert ran.stdout == ""


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("a=xxxxxxxx\n" + "a=$a$a$a$a$a$a$a$a\n" * 12, "more than 16 MiB of text"),
        ("printf 1234567 > f\n" + "cat f f f f f f f f > g; cp g f\n" * 12, "more than 16 MiB"),
        ("printf aaaaaaaa > f\n" + "sed -i 's/a/aaaaaaaaaaaaaaaa/g' f\n" * 9, "more than 16 MiB"),
        ("a='1 2 3 4 5 6 7'\n" + "for i in $a; do " * 9 + ":; " + "done; " * 9, "100,000 commands"),
        ("{ " * 3000 + "true; " + "}; " * 3000, "nested too deep"),
        ("echo " + "${a:-" * 1500 + "x" + "}" * 1500, "nested too deep"),
    ],
    ids=["doubling", "files", "sed", "loops", "groups", "defaults"],
)
def test_a_script_may_use_up_only_so_much(script: str, says: str) -> None:
    ran = Ran(script + "\necho after")
    assert ran.status in (1, 2)
    assert says in ran.stderr
    assert "after" not in ran.stdout


@pytest.mark.parametrize(
    ("pattern", "refused"),
    [
        *(("(a+)+$", 1), ("(a|aa)*$", 1), ("((ab*)c){2,}", 1), (r"([ab]|\(c\))+", 1)),
        *((r"(\.[0-9]{2})?x", 0), ("(ab)+c*", 0), ("[(*]+", 0), ("(shop/[a-z]+):[0-9.]+", 0)),
    ],
)
def test_patterns_that_could_take_hours_are_refused(pattern: str, refused: int) -> None:
    says = "a repetition within a repetition is not understood here"
    for command in (
        f"grep -E '{pattern}' f",
        f"sed -E 's/{pattern.replace('/', chr(92) + '/')}/x/' f",
    ):
        ran = Ran(command, {"f": "a" * 60 + "b\n"})
        assert (says in ran.stderr) == refused


def test_a_reference_to_no_group_is_told() -> None:
    ran = Ran(r"echo abc | sed -E 's/(b)/<\2>/'")
    assert ran.status == 1
    assert ran.stderr == "sed: invalid reference \\2 on `s' command's RHS\n"
    assert Ran(r"echo abc | sed -E 's/(b)/<\10\0>/'").stdout == "a<b0b>c\n"


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (ROOT, ""),
        (f"{ROOT}/a/../b", "b"),
        ("../c", "c"),
        ("../../c", None),
        (f"{ROOT}/../../etc/passwd", None),
        ("/etc/passwd", None),
        (f"{ROOT}2/secret/of/another/job", None),
    ],
)
def test_a_path_is_of_the_workspace_or_none(path: str, found: str | None) -> None:
    assert Workspace(ROOT).resolve("sub", path) == found
