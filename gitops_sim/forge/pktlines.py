"""Pkt-lines: how Git frames what it says over a connection: four hex digits of length, then bytes.

Source: git, Documentation/gitprotocol-common and gitprotocol-pack (side-band).
"""

from __future__ import annotations

from gitops_sim.errors import GitError

__all__ = ["DATA", "FLUSH", "MESSAGE", "PktReader", "band", "pkt"]

FLUSH = b"0000"
DATA, MESSAGE = 1, 2
"""Bands: what is sent, and text for the terminal."""

_BAND_BYTES = 65515


def pkt(line: str | bytes) -> bytes:
    """Return one framed line."""
    data = line.encode() if isinstance(line, str) else line
    return b"%04x%b" % (len(data) + 4, data)


def band(number: int, data: bytes) -> bytes:
    """Return data framed for one band, in as many lines as it needs."""
    pieces = (data[at : at + _BAND_BYTES] for at in range(0, len(data), _BAND_BYTES))
    return b"".join(pkt(bytes([number]) + piece) for piece in pieces)


class PktReader:
    """Reads pkt-lines from a request; what follows them is `rest`."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    @property
    def rest(self) -> bytes:
        """What was not read."""
        return self._body[self._at :]

    @property
    def at_end(self) -> bool:
        """True when there is nothing more."""
        return self._at >= len(self._body)

    def line(self) -> str | None:
        """Return the next line without its line feed; None for a flush or the end.

        Raises:
            GitError: It is no pkt-line.
        """
        if self.at_end:
            return None
        head = self._body[self._at : self._at + 4]
        if len(head) < 4 or head.strip(b"0123456789abcdefABCDEF"):
            raise GitError(f"protocol error: bad line length character: {head!r}")
        length = int(head, 16)
        if length == 0:
            self._at += 4
            return None
        data = self._body[self._at + 4 : self._at + length]
        if length < 4 or len(data) != length - 4:
            raise GitError(f"protocol error: bad line length {length}")
        self._at += length
        try:
            return data.decode().removesuffix("\n")
        except UnicodeDecodeError:
            raise GitError("protocol error: a line is not valid UTF-8") from None

    def lines(self) -> list[str]:
        """Return the lines up to the next flush or the end."""
        found = []
        while (line := self.line()) is not None:
            found.append(line)
        return found
