"""The servers of a run: nginx with pre-made pages, the long way to it, and
the stand-in for the pace.  All on free ports of 127.0.0.1."""

import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent

CONFIGURATION = '''
daemon off;
worker_processes 1;
pid {dir}/nginx.pid;
error_log {dir}/error.log;
events {{ worker_connections 1024; }}
http {{
    log_format line '$connection $connection_requests $status $request_uri';
    access_log {dir}/access.log line;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    default_type application/json;
    sendfile on;
    tcp_nodelay on;
    gzip off;
    keepalive_timeout 1h;
    keepalive_requests 100000000;
    open_file_cache max=20000 inactive=1h;
    server {{
        listen 127.0.0.1:{plain};
        listen 127.0.0.1:{tls} ssl;
        listen 127.0.0.1:{h2} ssl http2;
        ssl_certificate {dir}/cert.pem;
        ssl_certificate_key {dir}/key.pem;
        root {dir}/lists;
        location ~ ^/(?<list>[0-9]+)/api/v1/tasks$ {{
            try_files /$list/tasks/$arg_index-$arg_limit =404;
        }}
        location ~ ^/(?<list>[0-9]+)/api/v1/tasks/(?<id>[^/]+)$ {{
            try_files /$list/tasks/$id =404;
        }}
    }}
}}
'''


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(('127.0.0.1', 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Seen(NamedTuple):
    """What the server's log tells of a run."""
    requests: int
    connections: int                    # over which they came
    opened: int                         # of these, new ones


class Nginx:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.log = directory / 'access.log'
        self.position = 0
        self.make_certificate()
        program = shutil.which('nginx') or '/usr/sbin/nginx'
        for _ in range(3):              # somebody may be quicker at a port
            ports = dict(zip(('plain', 'tls', 'h2'), free_ports(3)))
            (directory / 'nginx.conf').write_text(
                CONFIGURATION.format(dir=directory, **ports))
            self.process = subprocess.Popen(
                [program, '-p', directory, '-c', directory / 'nginx.conf',
                 '-e', directory / 'error.log'])
            if self.answers(ports['plain']):
                break
        else:
            raise SystemExit('nginx does not start: '
                             + (directory / 'error.log').read_text())
        self.ports = ports

    def make_certificate(self) -> None:
        subprocess.run(
            ['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes',
             '-days', '2', '-subj', '/CN=localhost', '-addext',
             'subjectAltName=DNS:localhost,IP:127.0.0.1',
             '-keyout', self.directory / 'key.pem',
             '-out', self.directory / 'cert.pem'],
            check=True, capture_output=True)

    def answers(self, port: int) -> bool:
        until = time.monotonic() + 10
        while self.process.poll() is None and time.monotonic() < until:
            try:
                socket.create_connection(('127.0.0.1', port), 1).close()
                return True
            except OSError:
                time.sleep(0.02)
        return False

    def forget(self) -> None:
        self.position = self.log.stat().st_size

    def seen(self) -> Seen:
        """Since forget().  A request is logged after its answer went out:
        the log is taken when nothing has been added for a moment."""
        size = -1
        while size != self.log.stat().st_size:
            size = self.log.stat().st_size
            time.sleep(0.005)
        with self.log.open('rb') as file:
            file.seek(self.position)
            lines = [line.split(b' ', 3) for line in file]
        wrong = [line for line in lines if line[2] != b'200']
        if wrong:
            raise SystemExit(f'nginx refused: {wrong[0]}')
        return Seen(len(lines), len({line[0] for line in lines}),
                    sum(line[1] == b'1' for line in lines))

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


class Delay:
    """A long way to a port."""

    def __init__(self, program: Path, milliseconds: int, port: int) -> None:
        self.process = subprocess.Popen(
            [program, str(milliseconds), str(port)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def stop(self) -> None:
        self.process.stdin.close()
        self.process.wait(10)


class Standin:
    """The stand-in, which refuses what comes too early."""

    def __init__(self, objects: int) -> None:
        directory = HERE.parent / 'test' / 'standin'
        self.ctl_program = directory / 'ctl'
        self.process = subprocess.Popen(
            [directory / 'standin', '--until-eof', '--objects', str(objects)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        said = dict(word.split('=') for word in
                    self.process.stdout.readline().split())
        self.port = int(said['port'])
        self.environment = {'NCLUE_STANDIN_CONTROL': said['control']}

    def ctl(self, *words: str) -> str:
        return subprocess.run(
            ['python3', self.ctl_program, *words], env=self.environment,
            check=True, capture_output=True, text=True).stdout

    def forget(self) -> None:
        self.ctl('arrivals')

    def seen(self) -> Seen:
        lines = [line.split() for line in self.ctl('arrivals').splitlines()]
        wrong = [line for line in lines if line[3] != '200']
        if wrong:
            raise SystemExit(f'the stand-in refused: {wrong[0]}')
        connections = {line[2] for line in lines}
        return Seen(len(lines), len(connections), len(connections))

    def stop(self) -> None:
        self.process.stdin.close()
        self.process.wait(10)
