"""Listening, certificates, and the end."""

import os
import select
import socket
import ssl
import subprocess
import threading
from pathlib import Path

from control import Control
from service import Service
from wire import Connection


SO_TIMESTAMPNS = 35             # Linux; Python has no name for it


def listen(port: int) -> socket.socket:
    """A listening socket on the loopback; port 0: a free one."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(('127.0.0.1', port))
    listener.listen(128)
    return listener


def make_certificate(directory: Path, name: str) -> tuple[Path, Path]:
    """A certificate that is its own authority, and its key."""
    certificate, key = directory / 'ca.pem', directory / 'key.pem'
    subprocess.run(
        ['openssl', 'req', '-x509', '-nodes', '-days', '7',
         '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1',
         '-subj', f'/CN={name}',
         '-addext', f'subjectAltName=DNS:{name},IP:127.0.0.1'
         if name == 'localhost' else f'subjectAltName=DNS:{name}',
         '-keyout', str(key), '-out', str(certificate)],
        check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    key.chmod(0o600)
    return certificate, key


class Server:
    """The two ports, and a thread for each connection."""

    def __init__(self, service: Service, port: int, control_port: int,
                 certificate: tuple[Path, Path] | None) -> None:
        self.service = service
        self.listener = listen(port)
        # inherited by the connections, so that their first bytes have it too
        self.listener.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.context = None
        if certificate is not None:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate)
        self.stop_reader, self.stop_writer = os.pipe()
        self.control = Control(service, self.stop, listen(control_port))
        self.control.connections = lambda: (self.open, self.total)
        self.open = self.total = 0
        self.counting = threading.Lock()

    @property
    def port(self) -> int:
        return self.listener.getsockname()[1]

    @property
    def control_port(self) -> int:
        return self.control.listener.getsockname()[1]

    def start(self) -> None:
        for target in (self.accept, self.control.serve):
            threading.Thread(target=target, daemon=True).start()

    def accept(self) -> None:
        while True:
            sock, _ = self.listener.accept()
            connection = Connection(sock, self.total + 1, self.service,
                                    self.stop_reader, self.context)
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
