"""Listening, and the end."""

import os
import select
import socket
import threading

from certificates import Certificates
from control import Control
from service import Service
from wire import Connection


SO_TIMESTAMPNS = 35             # Linux; Python has no name for it


def bind(port: int) -> socket.socket:
    """A socket on the loopback; port 0: a free one."""
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(('127.0.0.1', port))
    return bound


def listen(port: int) -> socket.socket:
    listener = bind(port)
    listener.listen(128)
    return listener


class Server:
    """The two ports, and a thread for each connection."""

    def __init__(self, service: Service, port: int, control_port: int,
                 certificates: Certificates | None) -> None:
        self.service = service
        self.certificates = certificates
        # keeps the port while nobody listens there
        self.place = bind(port)
        self.port = self.place.getsockname()[1]
        self.listener: socket.socket | None = None
        self.listening = threading.Event()
        self.timer: threading.Timer | None = None
        self.open_or_close()
        service.settings.changed = self.settings_changed
        self.stop_reader, self.stop_writer = os.pipe()
        self.control = Control(service, self.stop, listen(control_port))
        self.control.connections = lambda: (self.open, self.total)
        self.open = self.total = 0
        self.counting = threading.Lock()

    @property
    def control_port(self) -> int:
        return self.control.listener.getsockname()[1]

    def start(self) -> None:
        for target in (self.accept, self.control.serve):
            threading.Thread(target=target, daemon=True).start()

    def settings_changed(self) -> None:
        settings = self.service.settings
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        if settings.accept != 'normal' and settings.accept_ms:
            self.timer = threading.Timer(settings.accept_ms / 1000,
                                         self.accept_again)
            self.timer.daemon = True
            self.timer.start()
        self.open_or_close()

    def accept_again(self) -> None:
        with self.service.lock:
            # unless it was told otherwise while it came
            if threading.current_thread() is self.timer:
                self.service.settings.set('accept', 'normal')

    def open_or_close(self) -> None:
        """Listens, unless connections are to be refused."""
        if self.service.settings.accept != 'refuse':
            if self.listener is None:
                self.listener = listen(self.port)
                # inherited by the connections, so that their first bytes have
                # it too
                self.listener.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
                self.listening.set()
        elif self.listener is not None:
            self.listening.clear()
            listener, self.listener = self.listener, None
            listener.shutdown(socket.SHUT_RDWR)     # wakes accept()
            listener.close()

    def accept(self) -> None:
        while self.listening.wait():
            try:
                sock, _ = self.listener.accept()
            except (AttributeError, OSError):
                continue            # closed
            context = None
            if self.certificates is not None:
                kind = self.service.settings.certificate
                context = self.certificates.contexts[kind]
            connection = Connection(sock, self.total + 1, self.service,
                                    self.stop_reader, context)
            with self.counting:
                self.open += 1
                self.total += 1
            threading.Thread(target=self.run, args=(connection,),
                             daemon=True).start()

    def run(self, connection: Connection) -> None:
        try:
            connection.run()
        finally:
            with self.counting:
                self.open -= 1

    def stop(self) -> None:
        """Wakes everyone who waits; may be called from a signal handler."""
        os.write(self.stop_writer, b'.')

    def wait(self) -> None:
        """Until stop(); the byte stays, so that all see it."""
        select.select([self.stop_reader], [], [])
