"""A PostgreSQL session over the server's socket, as thin as can be.

What is measured is the server: no driver and no terminal in between.
"""

import socket
import struct
from typing import NamedTuple


class Refused(Exception):
    """The server's error."""


class Result(NamedTuple):
    rows: list[list[str | None]]        # only where they were wanted
    count: int
    tag: str                            # "SELECT 5"


class Session:
    """One backend.  Its peculiarity: it can throw rows away unread."""

    def __init__(self, directory: str, database: str = 'postgres') -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(f'{directory}/.s.PGSQL.5432')
        self.file = self.socket.makefile('rb', 1 << 20)
        words = ('user', 'postgres', 'database', database,
                 'client_encoding', 'UTF8', 'options',
                 '-c client_min_messages=warning')
        body = struct.pack('!i', 196608) + b''.join(
            word.encode() + b'\0' for word in words) + b'\0'
        self.socket.sendall(struct.pack('!i', len(body) + 4) + body)
        self.pid = 0
        self.answer(False)

    def read(self) -> tuple[bytes, bytes]:
        head = self.file.read(5)
        if len(head) < 5:
            raise Refused('the server closed the connection')
        return head[:1], self.file.read(struct.unpack('!i', head[1:])[0] - 4)

    def answer(self, wanted: bool) -> Result:
        rows, count, tag, error = [], 0, '', ''
        while True:
            kind, body = self.read()
            if kind == b'D':
                count += 1
                if wanted:
                    rows.append(fields(body))
            elif kind == b'C':
                tag = body[:-1].decode()
            elif kind == b'K':
                self.pid = struct.unpack('!ii', body)[0]
            elif kind == b'E':
                error = ' / '.join(part[1:].decode('utf-8', 'replace')
                                   for part in body.split(b'\0')
                                   if part[:1] in (b'C', b'M', b'D'))
            elif kind == b'Z':
                if error:
                    raise Refused(error)
                return Result(rows, count, tag)

    def run(self, sql: str, wanted: bool = True) -> Result:
        """A simple query; of several statements the last tag."""
        body = sql.encode() + b'\0'
        self.socket.sendall(b'Q' + struct.pack('!i', len(body) + 4) + body)
        return self.answer(wanted)

    def close(self) -> None:
        self.socket.sendall(b'X\0\0\0\4')
        self.file.close()
        self.socket.close()


def fields(body: bytes) -> list[str | None]:
    """A DataRow's texts."""
    values, at = [], 2
    for _ in range(struct.unpack_from('!h', body)[0]):
        length, = struct.unpack_from('!i', body, at)
        at += 4
        values.append(None if length < 0
                      else body[at:at + length].decode('utf-8'))
        at += max(length, 0)
    return values
