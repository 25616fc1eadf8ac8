"""The grammar of shell scripts: from tokens to a tree of commands."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from gitops_sim.errors import LabError
from gitops_sim.push.shell_words import Literal, Token, Word, plain_text, tokens, unsupported

__all__ = [
    "AndOr",
    "For",
    "Group",
    "If",
    "Node",
    "Pipeline",
    "Redirect",
    "Script",
    "Simple",
    "parse",
]

RESERVED = ("then", "elif", "else", "fi", "do", "done", "}")
NOT_UNDERSTOOD = ("while", "until", "case", "function", "select", "[[")


@dataclass(frozen=True, slots=True)
class Redirect:
    """`2>> file`: descriptor, operator, and the file or the here-document."""

    descriptor: int
    operator: str
    target: Word


@dataclass(frozen=True, slots=True)
class Simple:
    """A command with its arguments, assignments before it, and redirections."""

    assignments: tuple[tuple[str, Word], ...]
    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands connected by `|`; `negated` by `!` before them."""

    commands: tuple[Node, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class AndOr:
    """Pipelines connected by `&&` and `||`: the first, then (operator, pipeline)."""

    first: Pipeline
    rest: tuple[tuple[str, Pipeline], ...]


@dataclass(frozen=True, slots=True)
class Script:
    """Commands one after the other."""

    items: tuple[AndOr, ...]


@dataclass(frozen=True, slots=True)
class If:
    """Conditions with what to do, and what to do when none holds."""

    branches: tuple[tuple[Script, Script], ...]
    otherwise: Script | None


@dataclass(frozen=True, slots=True)
class For:
    """`for name in words; do …; done`."""

    name: str
    words: tuple[Word, ...]
    body: Script


@dataclass(frozen=True, slots=True)
class Group:
    """`{ …; }`, or in a shell of its own `( … )`; with redirections."""

    body: Script
    own_shell: bool
    redirects: tuple[Redirect, ...]


Node: TypeAlias = Simple | If | For | Group


def parse(script: str) -> Script:
    """Read a script; the usual short ones, which run again and again, are read once.

    Raises:
        LabError: It is no shell script, or uses what this shell does not understand.
    """
    return _known(script) if len(script) < _SHORT else _parse(script)


_SHORT = 4096


@lru_cache(maxsize=256)
def _known(script: str) -> Script:
    return _parse(script)


def _parse(script: str) -> Script:
    parser = _Parser(tokens(script))
    tree = parser.script(())
    parser.expect_end()
    return tree


class _Parser:
    """Reads tokens from left to right, one function for each rule of the grammar."""

    def __init__(self, found: list[Token]) -> None:
        self.tokens = found
        self.at = 0

    @property
    def now(self) -> Token:
        return self.tokens[self.at]

    def expect_end(self) -> None:
        if self.now.kind != "end":
            raise self._unexpected()

    def script(self, stops: tuple[str, ...]) -> Script:
        """Read commands until one of the words in `stops`, a `)` or the end."""
        items: list[AndOr] = []
        while True:
            while self.now.kind == "newline" or self._is_operator(";"):
                if self.now.text == ";" and not items:
                    raise self._unexpected()
                self.at += 1
            if self.now.kind == "end" or self._is_operator(")") or self._reserved() in stops:
                return Script(tuple(items))
            items.append(self._and_or())
            if self._is_operator("&"):
                raise unsupported("a command in the background (&)", self.now.line)
            ends = self.now.kind in ("newline", "end") or self._is_operator(";", ")")
            if not ends:
                raise self._unexpected()

    def _and_or(self) -> AndOr:
        first = self._pipeline()
        rest: list[tuple[str, Pipeline]] = []
        while self._is_operator("&&", "||"):
            operator = self.now.text
            self.at += 1
            self._skip_newlines()
            rest.append((operator, self._pipeline()))
        return AndOr(first, tuple(rest))

    def _pipeline(self) -> Pipeline:
        negated = False
        while self._reserved() == "!":
            negated = not negated
            self.at += 1
        commands = [self._command()]
        while self._is_operator("|"):
            self.at += 1
            self._skip_newlines()
            commands.append(self._command())
        return Pipeline(tuple(commands), negated)

    def _command(self) -> Node:
        word = self._reserved()
        if word in NOT_UNDERSTOOD:
            raise unsupported(word, self.now.line)
        if word in RESERVED:
            raise self._unexpected()
        if word == "if":
            return self._if()
        if word == "for":
            return self._for()
        if word == "{" or self._is_operator("("):
            self.at += 1
            body = self.script(("}",) if word == "{" else ())
            self._end_with("}" if word == "{" else ")")
            return Group(body, word != "{", self._redirects())
        return self._simple()

    def _if(self) -> If:
        branches = []
        word = "if"
        while word in ("if", "elif"):
            self.at += 1
            condition = self.script(("then",))
            self._end_with("then")
            branches.append((condition, self.script(("elif", "else", "fi"))))
            word = self._reserved()
        otherwise = None
        if word == "else":
            self.at += 1
            otherwise = self.script(("fi",))
        self._end_with("fi")
        return If(tuple(branches), otherwise)

    def _for(self) -> For:
        self.at += 1
        name = plain_text(self.now.word) or ""
        if not name.isidentifier():
            raise self._unexpected()
        self.at += 1
        self._skip_newlines()
        self._end_with("in")
        words = []
        while self.now.kind == "word":
            words.append(self.now.word)
            self.at += 1
        while self.now.kind == "newline" or self._is_operator(";"):
            self.at += 1
        self._end_with("do")
        body = self.script(("done",))
        self._end_with("done")
        return For(name, tuple(words), body)

    def _simple(self) -> Simple:
        line = self.now.line
        assignments: list[tuple[str, Word]] = []
        words: list[Word] = []
        redirects: list[Redirect] = []
        while True:
            if self.now.glued or self._is_redirect():
                redirects.append(self._redirect())
            elif self.now.kind == "word":
                assigned = _assignment(self.now.word) if not words else None
                if assigned:
                    assignments.append(assigned)
                else:
                    words.append(self.now.word)
                self.at += 1
            else:
                break
        if not (words or assignments or redirects):
            raise self._unexpected()
        if self._is_operator("(") and len(words) == 1:
            raise unsupported("a function", line)
        return Simple(tuple(assignments), tuple(words), tuple(redirects), line)

    def _redirects(self) -> tuple[Redirect, ...]:
        found = []
        while self.now.glued or self._is_redirect():
            found.append(self._redirect())
        return tuple(found)

    def _redirect(self) -> Redirect:
        descriptor = -1
        if self.now.glued:
            descriptor = int(plain_text(self.now.word) or 0)
            self.at += 1
        operator = self.now.text
        self.at += 1
        if self.now.kind not in ("word", "heredoc"):
            raise self._unexpected()
        target = self.now.word
        self.at += 1
        if descriptor < 0:
            descriptor = 0 if operator.startswith("<") else 1
        if descriptor > 2 or operator == "<&":
            raise unsupported(f"redirection {descriptor}{operator}", self.now.line)
        return Redirect(descriptor, operator, target)

    def _reserved(self) -> str:
        """Return the present word if it could be a reserved one, or an empty text."""
        return plain_text(self.now.word) or "" if self.now.kind == "word" else ""

    def _is_operator(self, *texts: str) -> bool:
        return self.now.kind == "op" and self.now.text in texts

    def _is_redirect(self) -> bool:
        return self._is_operator(">", ">>", "<", "<<", "<<-", ">&", "&>", "<&")

    def _skip_newlines(self) -> None:
        while self.now.kind == "newline":
            self.at += 1

    def _end_with(self, text: str) -> None:
        if self._reserved() != text and not self._is_operator(text):
            raise self._unexpected()
        self.at += 1

    def _unexpected(self) -> LabError:
        shown = {"end": "end of the script", "newline": "newline"}.get(self.now.kind, "")
        shown = shown or self.now.text or plain_text(self.now.word) or "word"
        return LabError(f"line {self.now.line}: syntax error near unexpected token `{shown}'")


def _assignment(word: Word) -> tuple[str, Word] | None:
    """Return name and value of `NAME=value`; None for any other word."""
    if not word or not isinstance(word[0], Literal) or word[0].quoted:
        return None
    name, equals, rest = word[0].text.partition("=")
    if not equals or not name.isidentifier():
        return None
    return name, ((Literal(rest), *word[1:]) if rest else word[1:])
