"""The words of a shell script: quotes, `$variables`, `$(commands)`, operators, here-documents.

A script is cut into tokens once; what a word stands for is found out when it is used, so a word
keeps its pieces: text, quoted or not, variables, and commands whose output it takes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from gitops_sim.errors import LabError

__all__ = [
    "Literal",
    "Segment",
    "Substitution",
    "Token",
    "Variable",
    "Word",
    "plain_text",
    "tokens",
    "unsupported",
]

OPERATORS = (
    "&&",
    "||",
    ";;",
    ">>",
    "<<-",
    "<<",
    "&>",
    ">&",
    "<&",
    ";",
    "|",
    "&",
    "<",
    ">",
    "(",
    ")",
)
UNCLOSED = "unexpected end of the script, looking for a closing"
NO_END = "here-document without its end"
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[?#$!0-9@*]")
BRACED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*|[?#$!0-9@*])(?:(:?[-+=?])(.*))?\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Literal:
    """Text; `quoted` text is not split and means no pattern."""

    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Variable:
    """`$NAME` or `${NAME}`; `operator` is `:-`, `-`, `:+` or `+` with its word, or empty."""

    name: str
    quoted: bool = False
    operator: str = ""
    word: tuple[Segment, ...] = ()


@dataclass(frozen=True, slots=True)
class Substitution:
    """`$(script)`: what the script prints."""

    script: str
    line: int
    quoted: bool = False


Segment: TypeAlias = Literal | Variable | Substitution
Word: TypeAlias = tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Token:
    """One token.

    Attributes:
        kind: "word", "op", "newline", "heredoc" or "end".
        text: The operator; empty for a word.
        word: The pieces of a word, or of the text of a here-document.
        line: 1-based line in the script.
        glued: True for a word of digits directly before `<` or `>`: a file descriptor.
    """

    kind: str
    text: str = ""
    word: Word = ()
    line: int = 1
    glued: bool = False


def plain_text(word: Word) -> str | None:
    """Return the text of a word without quotes or variables; None for any other."""
    if len(word) == 1 and isinstance(word[0], Literal) and not word[0].quoted:
        return word[0].text
    return None


def unsupported(what: str, line: int) -> LabError:
    """Return the error for shell syntax that is real but not understood here."""
    problem = f"line {line}: {what} is not understood by this runner's shell"
    return LabError(problem, "write it with: words, quotes, $VAR, $(…), |, &&, ||, ;, if, for, > <")


def tokens(script: str) -> list[Token]:
    """Cut a script into tokens, the last one of kind "end".

    Raises:
        LabError: A quote is not closed, or syntax that is not understood.
    """
    return _Lexer(script).run()


class _Lexer:
    """Reads one script from left to right."""

    def __init__(self, script: str) -> None:
        self.text = script
        self.at = 0
        self.line = 1
        self.found: list[Token] = []
        self.heredocs: list[tuple[int, str, bool, bool]] = []  # token, end mark, quoted, strip tabs

    def run(self) -> list[Token]:
        while self.at < len(self.text):
            character = self.text[self.at]
            if character == "\n":
                self._token("newline")
                self._next()
                self._read_heredocs()
            elif character in " \t\r":
                self._next()
            elif self.text.startswith("\\\n", self.at):
                self._next(2)
            elif character == "#":
                while self.at < len(self.text) and self.text[self.at] != "\n":
                    self._next()
            elif not self._operator():
                self._word()
        if self.heredocs:
            raise LabError(
                f"line {self.line}: here-document without its end {self.heredocs[0][1]!r}"
            )
        self._token("end")
        return self.found

    def _next(self, count: int = 1) -> str:
        taken = self.text[self.at : self.at + count]
        self.at += count
        self.line += taken.count("\n")
        return taken

    def _token(self, kind: str, text: str = "", word: Word = (), *, glued: bool = False) -> None:
        self.found.append(Token(kind, text, word, self.line, glued))

    def _operator(self) -> bool:
        for operator in OPERATORS:
            if self.text.startswith(operator, self.at):
                if operator == "<<" and self.text.startswith("<<<", self.at):
                    raise unsupported("<<<", self.line)
                self._next(len(operator))
                self._token("op", operator)
                if operator in ("<<", "<<-"):
                    self._heredoc(strip=operator == "<<-")
                return True
        return False

    def _heredoc(self, *, strip: bool) -> None:
        """Read the end mark of a here-document; its text follows the line."""
        while self.at < len(self.text) and self.text[self.at] in " \t":
            self._next()
        start = len(self.found)
        self._word()
        word = self.found.pop().word
        mark = "".join(part.text for part in word if isinstance(part, Literal))
        quoted = any(isinstance(part, Literal) and part.quoted for part in word)
        self.heredocs.append((start, mark, quoted, strip))
        self._token("heredoc")

    def _read_heredocs(self) -> None:
        for index, mark, quoted, strip in self.heredocs:
            lines: list[str] = []
            while True:
                if self.at >= len(self.text):
                    raise LabError(f"line {self.line}: {NO_END} {mark!r}")
                end = self.text.find("\n", self.at)
                end = len(self.text) if end < 0 else end
                line = self.text[self.at : end]
                self._next(end - self.at + 1)
                line = line.lstrip("\t") if strip else line
                if line == mark:
                    break
                lines.append(line + "\n")
            body = "".join(lines)
            word = (Literal(body, quoted=True),) if quoted else _in_double_quotes(body, self.line)
            self.found[index] = Token("heredoc", "", word, self.found[index].line)
        self.heredocs.clear()

    def _word(self) -> None:
        """Read one word."""
        parts: list[Segment] = []
        start, line = self.at, self.line
        while self.at < len(self.text):
            character = self.text[self.at]
            if character in " \t\r\n;|&<>()":
                break
            if character == "'":
                parts.append(Literal(self._until_quote(), quoted=True))
            elif character == '"':
                parts.extend(self._double_quoted())
            elif character == "\\":
                self._next()
                escaped = self._next()
                if escaped != "\n":
                    parts.append(Literal(escaped, quoted=True))
            elif character in "$`":
                parts.append(self._dollar(quoted=False))
            else:
                parts.append(Literal(self._next()))
        digits = self.text[start : self.at].isdigit()
        glued = digits and self.at < len(self.text) and self.text[self.at] in "<>"
        self.found.append(Token("word", "", _joined(parts), line, glued))

    def _until_quote(self) -> str:
        self._next()
        end = self.text.find("'", self.at)
        if end < 0:
            raise LabError(
                f"line {self.line}: unexpected end of the script, looking for a closing '"
            )
        text = self._next(end - self.at)
        self._next()
        return text

    def _double_quoted(self) -> Word:
        self._next()
        line = self.line
        parts = self.expanding('"')
        if self.at >= len(self.text):
            raise LabError(f'line {line}: {UNCLOSED} "')
        self._next()
        return (Literal("", quoted=True), *parts)

    def expanding(self, end: str) -> Word:
        """Read text in which only `$` and some backslashes mean something, up to `end`."""
        parts: list[Segment] = []
        while self.at < len(self.text) and self.text[self.at] != end:
            character = self.text[self.at]
            if character == "\\":
                self._next()
                escaped = self._next()
                if escaped == "\n":
                    continue
                kept = escaped if escaped and escaped in f"$`\\{end}" else f"\\{escaped}"
                parts.append(Literal(kept, quoted=True))
            elif character in "$`":
                parts.append(self._dollar(quoted=True))
            else:
                parts.append(Literal(self._next(), quoted=True))
        return tuple(parts)

    def _dollar(self, *, quoted: bool) -> Segment:
        """Read what begins with `$`."""
        if self.text[self.at] == "`":
            raise unsupported("a command in backquotes (write $(…))", self.line)
        self._next()
        if self.text.startswith("((", self.at):
            raise unsupported("arithmetic $((…))", self.line)
        if self.text.startswith("(", self.at):
            line = self.line
            return Substitution(self._balanced("(", ")"), line, quoted)
        if self.text.startswith("{", self.at):
            line = self.line
            inside = self._balanced("{", "}")
            match = BRACED.match(inside)
            if match is None or (match[2] or "").endswith(("=", "?")):
                raise unsupported(f"${{{inside}}}", line)
            word = _in_double_quotes(match[3] or "", line)
            return Variable(match[1], quoted, match[2] or "", word)
        name = NAME.match(self.text, self.at)
        if name is None:
            return Literal("$", quoted)
        self._next(len(name[0]))
        return Variable(name[0], quoted)

    def _balanced(self, opening: str, closing: str) -> str:
        """Return what stands between brackets, quotes respected."""
        line, start, depth = self.line, self.at + 1, 0
        quote = ""
        while self.at < len(self.text):
            character = self._next()
            if quote:
                quote = "" if character == quote else quote
            elif character in "'\"":
                quote = character
            elif character == "\\":
                self._next()
            elif character == opening:
                depth += 1
            elif character == closing:
                depth -= 1
                if depth == 0:
                    return self.text[start : self.at - 1]
        raise LabError(
            f"line {line}: unexpected end of the script, looking for a closing {closing}"
        )


def _in_double_quotes(text: str, line: int) -> Word:
    """Return text that is read as if it stood in double quotes; quotes in it are text."""
    lexer = _Lexer(text)
    lexer.line = line
    return _joined(list(lexer.expanding("")))


def _joined(parts: list[Segment]) -> Word:
    """Return pieces with neighbouring text put together."""
    joined: list[Segment] = []
    for part in parts:
        last = joined[-1] if joined else None
        same = isinstance(part, Literal) and isinstance(last, Literal)
        if same and last.quoted == part.quoted:  # type: ignore[union-attr]
            joined[-1] = Literal(last.text + part.text, part.quoted)  # type: ignore[union-attr]
        else:
            joined.append(part)
    return tuple(joined)
