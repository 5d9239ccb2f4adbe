"""Bytes in and out of one connection, and the faults of its wire."""

import select
import socket
import ssl
import struct
import time
from typing import Any

from faults import chunk, read_text
from service import Delivery, Request, Service

MAX_HEAD = 64 * 1024
RESET_ON_CLOSE = struct.pack('ii', 1, 0)


def both_clocks() -> tuple[float, float]:
    """Monotonic and wall clock of one moment.

    Where another thread gets its turn between the two readings they are
    milliseconds apart, so the nearest of a few pairs counts.
    """
    best = None
    for _ in range(5):
        before, wall, after = time.monotonic(), time.time(), time.monotonic()
        if best is None or after - before < best[0]:
            best = after - before, after, wall
        if best[0] < 50e-6:
            break
    return best[1:]


class Gone(Exception):
    """The connection is of no use any more."""


class Connection:
    """A client's connection; run() serves it to its end."""

    def __init__(self, sock: socket.socket, number: int, service: Service,
                 stop_descriptor: int,
                 context: ssl.SSLContext | None) -> None:
        self.sock = sock
        self.number = number
        self.service = service
        # as they were when it came, whoever is told so and changes them
        self.accept = service.settings.accept
        self.latency = service.settings.connect_latency
        self.context = context
        self.buffer = b''
        self.arrival = 0.0
        self.poll = select.poll()
        self.poll.register(sock, select.POLLRDHUP)
        self.poll.register(stop_descriptor, select.POLLIN)

    def run(self) -> None:
        try:
            self.prepare()
            while True:
                request = self.receive()
                with self.service.under_way:
                    delivery = self.service.handle(request)
                    if delivery.delay:
                        self.pause(delivery.delay)
                if delivery.way:
                    getattr(self, 'wire_' + delivery.way)(
                        delivery.answer.head(), delivery.answer.body,
                        delivery.value)
                else:
                    self.send(delivery.answer.head() + delivery.answer.body)
                if not delivery.answer.keep:
                    self.finish()
                self.await_missing(delivery)
        except (Gone, OSError):
            pass
        finally:
            self.sock.close()

    def prepare(self) -> None:
        """What comes before the first request: the switch "accept", TLS."""
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.accept == 'stall':
            self.pause(None)
        elif self.accept == 'reset':
            self.reset()
        elif self.accept == 'close':
            raise Gone
        if self.latency:
            self.pause(self.latency / 1000)
        if self.context is not None:
            self.sock = self.context.wrap_socket(self.sock, server_side=True)

    # receiving

    def receive(self) -> Request:
        """The next request; its body, if it has one, is not read."""
        while b'\r\n\r\n' not in self.buffer:
            self.read()
            if len(self.buffer) > MAX_HEAD:
                raise Gone
        head, _, self.buffer = self.buffer.partition(b'\r\n\r\n')
        first, *lines = head.decode('latin-1').split('\r\n')
        words = first.split(' ')
        if len(words) != 3:
            raise Gone
        headers = {}
        for line in lines:
            name, _, value = line.partition(':')
            headers[name.lower()] = value.strip()
        return Request(words[0], words[1], headers, self.number,
                       self.arrival)

    def read(self) -> None:
        """More bytes, and when the kernel got them.

        The kernel's time does not depend on how busy this process is.  It
        comes with the bytes, since server.py asked for it; TLS hides it, but
        not from a look ahead.
        """
        if self.context is None:
            data, extra, _, _ = self.sock.recvmsg(MAX_HEAD, 128)
        else:
            extra = []
            if not self.sock.pending():
                _, extra, _, _ = socket.socket.recvmsg(self.sock, 1, 128,
                                                       socket.MSG_PEEK)
            data = self.sock.recv(MAX_HEAD)
        self.arrival, now = both_clocks()
        if extra and len(extra[0][2]) >= 16:
            seconds, nanoseconds = struct.unpack('qq', extra[0][2][:16])
            age = now - (seconds + nanoseconds / 1e9)
            self.arrival -= max(age, 0.0)
        if not data:
            raise Gone
        self.buffer += data

    # sending

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def pause(self, seconds: float | None) -> None:
        """Waits; None: until the client closes.  Ends at a stop as well."""
        timeout = None if seconds is None else seconds * 1000
        if self.poll.poll(timeout):
            raise Gone

    def reset(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             RESET_ON_CLOSE)
        raise Gone

    def finish(self) -> None:
        """Says that nothing more comes, and lets the client close.

        Closing with bytes unread would be a reset, which can overtake the
        answer.
        """
        self.sock.settimeout(1)
        self.sock.shutdown(socket.SHUT_WR)
        while self.sock.recv(MAX_HEAD):
            pass
        raise Gone

    def await_missing(self, delivery: Delivery) -> None:
        """Bytes that Content-Length promised do not come."""
        length = delivery.answer.length
        if length is not None and length > len(delivery.answer.body):
            self.pause(None)

    def send_part(self, head: bytes, body: bytes, count: int) -> bytes:
        """Sends the beginning of an answer; returns the rest."""
        count = count or len(body) // 2
        self.send(head + body[:count])
        return body[count:]

    def drip(self, data: bytes, ms: int) -> None:
        """Sends bytes one by one."""
        for at in range(len(data)):
            self.pause(ms / 1000)
            self.send(data[at:at + 1])

    # the faults; each ends with Gone where the connection does

    def wire_raw(self, head: bytes, body: bytes, text: str) -> None:
        self.send(read_text(text))
        raise Gone

    def wire_reset(self, head: bytes, body: bytes, _: Any) -> None:
        self.reset()

    def wire_close(self, head: bytes, body: bytes, _: Any) -> None:
        raise Gone

    def wire_stall(self, head: bytes, body: bytes, _: Any) -> None:
        self.pause(None)

    def wire_stall_head(self, head: bytes, body: bytes, _: Any) -> None:
        self.send(head[:len(head) // 2])
        self.pause(None)

    def wire_drip_head(self, head: bytes, body: bytes, ms: int) -> None:
        self.drip(head, ms)
        self.send(body)

    def wire_reset_body(self, head: bytes, body: bytes, count: int) -> None:
        self.send_part(head, body, count)
        # a reset discards what the client has not read yet
        self.pause(0.05)
        self.reset()

    def wire_truncated(self, head: bytes, body: bytes, count: int) -> None:
        self.send_part(head, body, count)
        raise Gone

    def wire_chunked_cut(self, head: bytes, body: bytes, count: int) -> None:
        count = count or len(body) // 2
        self.send(chunk_head(head) + chunk(body[:count]))
        raise Gone

    def wire_stall_body(self, head: bytes, body: bytes, count: int) -> None:
        self.send_part(head, body, count)
        self.pause(None)

    def wire_slow_body(self, head: bytes, body: bytes, ms: int) -> None:
        rest = self.send_part(head, body, 0)
        self.pause(ms / 1000)
        self.send(rest)

    def wire_drip(self, head: bytes, body: bytes, ms: int) -> None:
        self.send(head)
        self.drip(body, ms)

    def wire_endless(self, head: bytes, body: bytes, _: Any) -> None:
        self.send(chunk_head(head) + chunk(body or b' '))
        spaces = chunk(b' ' * 65536)
        while True:
            self.send(spaces)
            if self.poll.poll(0):
                raise Gone

    def wire_flood(self, head: bytes, body: bytes, megabytes: int) -> None:
        more = megabytes << 20
        self.send(head.replace(b'\r\nContent-Length: %d\r\n' % len(body),
                               b'\r\nContent-Length: %d\r\n'
                               % (len(body) + more)) + body)
        spaces = b' ' * 65536
        for _ in range(more // len(spaces)):
            self.send(spaces)
            if self.poll.poll(0):
                raise Gone

    def wire_close_after(self, head: bytes, body: bytes, _: Any) -> None:
        self.send(head + body)
        raise Gone


def chunk_head(head: bytes) -> bytes:
    """A head whose body comes in chunks instead of with a length."""
    lines = [line for line in head.removesuffix(b'\r\n\r\n').split(b'\r\n')
             if not line.lower().startswith(b'content-length:')]
    return b'\r\n'.join([*lines, b'Transfer-Encoding: chunked']) + b'\r\n\r\n'
