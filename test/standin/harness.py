"""What the tests share: a running stand-in, and a client."""

import http.client
import json
import os
import select
import socket
import subprocess
import time
import unittest
from pathlib import Path
from typing import Any, NamedTuple

from service import signature

HERE = Path(__file__).resolve().parent
LIST = '/api/v1/tasks?index=0&limit=10'


class Standin:
    """A running stand-in, and a client of its control port."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [HERE / 'standin', '--until-eof', *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.said = dict(word.split('=', 1) for word in line.split())
        self.port = int(self.said['port'])
        self.environment = os.environ | {
            'NCLUE_STANDIN_CONTROL': self.said['control']}

    def reply(self, name: str, *words: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection(
            '127.0.0.1', int(self.said['control']), timeout=10)
        connection.request('POST', f'/{name}',
                           '\0'.join(words).encode('utf-8',
                                                   'surrogateescape'))
        answer = connection.getresponse()
        body = answer.read().decode('utf-8', 'surrogateescape')
        connection.close()
        return answer.status, body

    def command(self, name: str, *words: str) -> str:
        status, text = self.reply(name, *words)
        if status != 200:
            raise AssertionError(f'{name} {words}: {status} {text}')
        return text

    def ctl(self, *words: str) -> subprocess.CompletedProcess:
        return subprocess.run([HERE / 'ctl', *words], env=self.environment,
                              capture_output=True, text=True)

    def end(self) -> int:
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait(10)


class Reply(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def rows(self, key: str = 'tasks') -> list[dict[str, Any]]:
        return self.json[key]


def signed(target: str, access_key: str = 'AK_TEST', secret: str = 'SK_TEST',
           method: str = 'GET', late: float = 0) -> dict[str, str]:
    timestamp = str(int((time.time() - late) * 1000))
    return {'x-ncp-apigw-timestamp': timestamp,
            'x-ncp-iam-access-key': access_key,
            'x-ncp-apigw-signature-v2': signature(
                secret, method, target, timestamp, access_key)}


def raw_request(target: str) -> bytes:
    headers = ''.join(f'{name}: {value}\r\n'
                      for name, value in signed(target).items())
    return f'GET {target} HTTP/1.1\r\nHost: x\r\n{headers}\r\n'.encode()


class Case(unittest.TestCase):
    """A test with the stand-in that all tests of a run share, reset."""

    standin: Standin

    @classmethod
    def setUpClass(cls) -> None:
        cls.standin = Standin('--key', 'AK_TEST:SK_TEST',
                              '--key', 'OTHER:SECRET')
        cls.addClassCleanup(cls.standin.end)

    def setUp(self) -> None:
        self.command('reset')
        self.connection = http.client.HTTPConnection(
            '127.0.0.1', self.standin.port, timeout=5)
        self.addCleanup(self.connection.close)

    def get(self, target: str = LIST, headers: dict[str, str] | None = None,
            method: str = 'GET', **more: str) -> Reply:
        if headers is None:
            headers = signed(target)
        self.connection.request(method, target, headers=headers | more)
        answer = self.connection.getresponse()
        return Reply(answer.status, answer.headers, answer.read())

    def fault(self, *words: str) -> Reply:
        self.command('fault', *words)
        return self.get()

    def raw(self, ends: bool, silent: bool = False,
            enough: int = 1 << 24) -> tuple[bytes, bool]:
        """The bytes that a request brings, and whether it ends.

        Says at once that it ends; that it does not, after a short silence
        behind what came (silent: behind nothing).
        """
        with socket.create_connection(('127.0.0.1',
                                       self.standin.port)) as sock:
            sock.sendall(raw_request(LIST))
            data = b''
            while len(data) < enough:
                patience = 0.3 if silent or data and not ends else 10
                if not select.select([sock], [], [], patience)[0]:
                    break
                piece = sock.recv(1 << 16)
                if not piece:
                    return data, True
                data += piece
            return data, False

    def command(self, *words: str) -> str:
        return self.standin.command(*words)

    def refused(self, *words: str) -> bool:
        return self.standin.reply(*words)[0] == 400

    def one(self, name: str = 'tasks') -> str:
        return self.command('ids', name, '0', '1').strip()
