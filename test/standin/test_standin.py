#!/usr/bin/python3
"""Tests of the service, its data, the control and the program."""

import http.client
import json
import os
import re
import select
import signal
import socket
import ssl
import subprocess
import time
import unittest
from pathlib import Path
from typing import Any

from control import VERBS
from data import RESOURCES
from faults import FAULTS
from harness import HERE, LIST, Case, Standin, raw_request, signed
from service import signature
from settings import SWITCHES


class Service(Case):

    def test_vectors(self) -> None:
        for text, expected in (
                ('POST /vserver/v2/createServerInstances?regionCode=KR',
                 'xBcE26XFU55BMjppdPT7ZY3oDrqoOedfPyAn3Cq4lUw='),
                ('GET /api/v1/tasks?index=0&limit=20',
                 'jiKgyFPcO9Jeza/MfjdyddzOofF8X6UGYKIAs8hN0Lc='),
                ('GET /api/v1/tasks?index=0&limit=100',
                 '1zxBfri3k+x0iCZFrACAQLgrLynJuUilTY+uQU7Cstg='),
                ('GET /api/v1/tasks',
                 'EclM0kT2u1luGdHYqe14mxh8QWnNrSf3zNBOCh1HtF4=')):
            method, target = text.split(' ')
            self.assertEqual(expected, signature(
                'SK_TEST', method, target, '1700000000000', 'AK_TEST'))

    def test_keys_and_signatures(self) -> None:
        self.assertEqual(200, self.get().status)
        self.assertEqual(
            200, self.get(LIST, signed(LIST, 'OTHER', 'SECRET')).status)
        good = signed(LIST)
        for headers in (
                {}, signed(LIST, 'AK_TEST', 'SECRET'),
                signed(LIST, 'UNKNOWN', 'SK_TEST'),
                signed(LIST.replace('limit', 'LIMIT')),
                signed(LIST, method='POST'),
                *({k: v for k, v in good.items() if k != missing}
                  for missing in good)):
            reply = self.get(LIST, headers)
            self.assertEqual(401, reply.status, headers)
            self.assertEqual('200', reply.json['error']['errorCode'])
            self.assertEqual('APIGW', reply.headers[
                'x-ncp-apigw-response-origin'])

    def test_the_raw_target_is_signed(self) -> None:
        target = '/api/v1/tasks?limit=%31&index=0&unknown=%20'
        self.assertEqual(200, self.get(target).status)
        self.assertEqual(401, self.get(target, signed(
            target.replace('%31', '1'))).status)

    def test_clock(self) -> None:
        for late, status in ((290, 200), (-290, 200), (310, 401),
                             (-310, 401)):
            self.assertEqual(status, self.get(LIST, signed(
                LIST, late=late)).status, late)

    def test_lists_and_objects(self) -> None:
        for resource in RESOURCES.values():
            path = '/api/v1' + resource.path
            page = self.get(path)
            self.assertEqual((0, 20, 250), tuple(
                page.json[key] for key in ('index', 'limit', 'total')))
            rows = page.rows(resource.array_key)
            self.assertEqual(20, len(rows))
            self.assertEqual(list(resource.fields), list(rows[0]))
            one = self.get(f'{path}/{rows[7][resource.id_key]}')
            self.assertEqual(rows[7], one.json)

    def test_nothing_else(self) -> None:
        one = f'/api/v1/tasks/{self.one()}'
        for method, target, code in (
                ('GET', '/api/v1/task', '300'), ('GET', '/tasks', '300'),
                ('GET', '/api/v1/tasks/', '300'), ('GET', one + '/', '300'),
                ('GET', '/api/v1/profile', '300'), ('POST', one, '300'),
                ('DELETE', one, '300'), ('PUT', LIST, '300'),
                ('GET', '/api/v1/tasks/unknown', '10199')):
            reply = self.get(target, signed(target, method=method), method)
            self.assertEqual(404, reply.status, target)
            self.assertEqual(code, reply.json['error']['errorCode'], target)

    def test_parameters(self) -> None:
        for query in ('limit=0', 'limit=101', 'limit=x', 'limit=', 'index=-1',
                      'index=1.5', 'index=%EF%BC%91'):
            reply = self.get(f'/api/v1/tasks?{query}')
            self.assertEqual(400, reply.status, query)
            self.assertEqual('100', reply.json['error']['errorCode'])
        for query, rows in (('', 20), ('limit=100', 100), ('index=240', 10),
                            ('index=250', 0), (f'index={2 ** 53}', 0)):
            reply = self.get(f'/api/v1/tasks?{query}')
            self.assertEqual(rows, len(reply.rows()), query)

    def test_paths_are_unescaped(self) -> None:
        self.command('insert', 'tasks', 'id=a/b 가')
        reply = self.get('/api/v1/tasks/a%2Fb%20%EA%B0%80')
        self.assertEqual('a/b 가', reply.json['task_id'])

    def test_a_proxy_gets_the_whole_url(self) -> None:
        target = f'http://example.invalid{LIST}'
        self.assertEqual(200, self.get(target, signed(LIST)).status)

    def test_connections_are_kept(self) -> None:
        for _ in range(3):
            self.get()
        self.get(connection='close')
        self.get()
        numbers = [line.split()[2] for line in
                   self.command('arrivals').splitlines()]
        self.assertEqual(1, len(set(numbers[:4])))
        self.assertEqual(2, len(set(numbers)))

    def test_requests_under_way_are_counted(self) -> None:
        self.command('connections')
        self.command('set', 'latency=300')
        clients = [http.client.HTTPConnection('127.0.0.1', self.standin.port)
                   for _ in range(3)]
        for _ in range(2):
            for client in clients:
                client.request('GET', LIST, headers=signed(LIST))
            for client in clients:
                client.getresponse().read()
        for client in clients:
            client.close()
        self.get()
        for most in (3, 0):
            self.assertIn(f'most={most}\n', self.command('connections'))

    def test_pipelined_requests_are_answered_in_order(self) -> None:
        address = ('127.0.0.1', self.standin.port)
        with socket.create_connection(address) as sock:
            sock.sendall(raw_request('/api/v1/tasks?limit=1')
                         + raw_request('/api/v1/features?limit=1'))
            data = b''
            while data.count(b'}]}') < 2:
                data += sock.recv(65536)
        self.assertLess(data.index(b'"tasks"'), data.index(b'"features"'))

    def test_arrivals_do_not_depend_on_our_speed(self) -> None:
        process = self.standin.process
        before = time.monotonic()
        process.send_signal(signal.SIGSTOP)
        try:
            with socket.create_connection(('127.0.0.1',
                                           self.standin.port)) as sock:
                sock.sendall(raw_request(LIST))
                sent = time.monotonic()
                time.sleep(0.1)
                process.send_signal(signal.SIGCONT)
                sock.recv(1)
        finally:
            process.send_signal(signal.SIGCONT)
        arrival = float(self.command('arrivals').split()[1])
        self.assertTrue(before <= arrival <= sent + 0.01)


class Data(Case):

    def dump(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line)
                for line in self.command('dump', name).splitlines()]

    def test_same_everywhere(self) -> None:
        self.assertEqual('0d034a59-d0f0-4d1a-b5d0-2208bee1cf1b', self.one())
        last = self.dump('tasks')[-1]
        self.command('objects', '3')
        self.assertEqual(last, self.dump('tasks')[-1])

    def test_dump_is_what_is_served(self) -> None:
        self.command('set', 'times=Z', 'auroc=string')
        rows = self.get('/api/v1/tasks?limit=100').rows()
        self.assertEqual(rows, self.dump('tasks')[:100])

    def test_variety(self) -> None:
        tasks = self.dump('tasks')
        self.assertEqual(250, len({task['task_id'] for task in tasks}))
        self.assertEqual(250, len({task['task_name'] for task in tasks}))
        self.assertTrue(all(len(task['task_name']) <= 100 for task in tasks))
        self.assertEqual({'completed', 'failed', 'in_progress', 'pending',
                          'registered'}, {task['status'] for task in tasks})
        self.assertTrue(all((task['fail_message'] is None)
                            == (task['status'] != 'failed')
                            for task in tasks))
        self.assertIn(2 ** 63 - 1, {task['line_count'] for task in tasks})
        names = ''.join(task['task_name'] for task in tasks)
        for character in '가購🛒"\n\t\\\'':
            self.assertIn(character, names)
        created = [task['created_at'] for task in tasks]
        self.assertEqual(sorted(created, reverse=True), created)
        self.assertLess(len(set(created)), 250)

    def test_joins(self) -> None:
        names = {row['feature_id']: row['feature_name']
                 for row in self.dump('features')}
        tasks = self.dump('tasks')
        for task in tasks:
            self.assertEqual(names[task['train_feature_id']],
                             task['train_feature_name'])
        ids = {task['task_id'] for task in tasks}
        for run in self.dump('task-runs'):
            self.assertIn(run['task_id'], ids)
            self.assertIn(run['feature_id'], names)


class Moving(Case):

    def setUp(self) -> None:
        super().setUp()
        self.command('objects', '6', 'tasks')

    def ids(self) -> list[str]:
        return self.command('ids', 'tasks').split()

    def pages(self, count: int) -> list[list[str]]:
        return [[row['task_id'] for row in self.get(
            f'/api/v1/tasks?index={2 * n}&limit=2').rows()]
                for n in range(count)]

    def test_insert(self) -> None:
        old = self.ids()
        new = self.command('insert', 'tasks').strip()
        self.assertEqual([new, *old], self.ids())
        third = self.command('insert', 'tasks', 'position=2',
                                'status=dün', 'line_count=7').strip()
        self.assertEqual(third, self.ids()[2])
        row = self.get(f'/api/v1/tasks/{third}').json
        self.assertEqual(('dün', 7), (row['status'], row['line_count']))
        last = self.command('insert', 'tasks', 'position=-1').strip()
        self.assertEqual(last, self.ids()[-1])
        self.assertTrue(self.refused('insert', 'tasks',
                                            f'id={last}'))

    def test_insert_where_the_order_wants_it(self) -> None:
        self.command('set', 'order=oldest')
        self.assertEqual(self.command('insert', 'tasks').strip(),
                         self.ids()[-1])
        self.command('set', 'order=name')
        new = self.command('insert', 'tasks', 'task_name="D"').strip()
        names = [json.loads(line)['task_name'] for line in
                 self.command('dump', 'tasks').splitlines()]
        self.assertEqual(sorted(names), names)
        self.assertIn(new, self.ids())

    def test_delete(self) -> None:
        a, b, c, d, e, f = self.ids()
        self.command('delete', 'tasks', b)
        self.command('delete', 'tasks', 'position=-1')
        self.command('delete', 'tasks', 'number=3')
        self.assertEqual([a, c, e], self.ids())
        self.assertTrue(self.refused('delete', 'tasks', b))
        self.assertEqual(404, self.get(f'/api/v1/tasks/{b}').status)
        self.command('insert', 'tasks')
        self.assertNotIn(self.ids()[0], (a, b, c, d, e, f))

    def test_touch(self) -> None:
        old = self.ids()
        self.command('touch', 'tasks', 'position=3')
        self.assertEqual(old, self.ids())
        self.command('set', 'order=changed')
        self.assertEqual([old[3], *old[:3], *old[4:]], self.ids())
        self.command('touch', 'tasks', old[5])
        self.assertEqual([old[5], old[3]], self.ids()[:2])

    def test_update(self) -> None:
        for text, value in (('"text"', 'text'), ('failed', 'failed'),
                            ('null', None), ('[1, 2]', [1, 2]),
                            ('"\\u0000"', '\0'), ('1e3', 1000.0)):
            self.command('update', 'tasks', 'position=0',
                            f'status={text}')
            self.assertEqual(value, self.get().rows()[0]['status'])
        self.command('update', 'tasks', 'position=0',
                        'line_count=99999999999999999999')
        self.assertIn(b'"line_count":99999999999999999999,', self.get().body)

    def test_remove_field(self) -> None:
        self.command('remove-field', 'tasks', 'position=1', 'AUROC',
                        'status')
        row = self.get().rows()[1]
        self.assertFalse({'AUROC', 'status'} & set(row))

    def test_churn_at_a_request(self) -> None:
        a, b, c, d, e, f = self.ids()
        self.command('churn', 'request=+2', 'delete', 'tasks',
                        'position=0')
        self.assertEqual([[a, b], [d, e], [f]], self.pages(3))
        self.assertNotIn('churn', self.command('show'))

    def test_batch(self) -> None:
        self.assertEqual('', self.command('batch', 'set', 'order=oldest'))
        shown = self.command('batch', 'objects', '2', ';', 'ids', 'tasks', ';',
                             'set', 'order=newest', ';', 'ids', 'tasks', ';')
        _, oldest, _, newest = shown.split(';\n')
        self.assertEqual(oldest.split(), newest.split()[::-1])
        given = subprocess.run(
            [HERE / 'ctl', 'batch', '-'], capture_output=True, text=True,
            env=self.standin.environment,
            input='objects\t1\nupdate\ttasks\tposition=0\ttask_id="a b;"\n'
            'ids\ttasks\n')
        self.assertEqual(';\n;\n' + self.command('ids', 'tasks'), given.stdout)
        for words in (['show', ';', ';'], ['wait', '1'], [';'],
                      ['show', ';', 'nothing']):
            self.assertTrue(self.refused('batch', *words), words)

    def test_churn_touch(self) -> None:
        self.command('set', 'order=changed')
        a, b, c, d, e, f = self.ids()
        self.command('churn', 'request=+2', 'touch', 'tasks', f)
        self.assertEqual([[a, b], [b, c], [d, e]], self.pages(3))

    def test_churn_every(self) -> None:
        self.command('churn', 'every=1', 'insert', 'tasks', 'position=0')
        pages = self.pages(2)
        self.assertEqual(pages[0][1], pages[1][0])
        self.assertEqual(8, len(self.ids()))
        self.command('churn', 'off')
        self.pages(1)
        self.assertEqual(8, len(self.ids()))

    def test_churn_sets(self) -> None:
        self.command('churn', 'request=+2', 'set', 'total=99')
        self.assertEqual([6, 99, 99], [self.get().json['total']
                                       for _ in range(3)])

    def test_churn_without_an_object_goes_on(self) -> None:
        self.command('churn', 'always', 'delete', 'tasks', 'position=0')
        self.pages(8)
        self.assertEqual([], self.ids())

    def test_objects(self) -> None:
        self.command('objects', '3')
        self.assertEqual(3, len(self.ids()))
        self.command('objects', '0', 'tasks')
        self.assertEqual([], self.get().rows())
        self.assertEqual(3, self.get('/api/v1/features').json['total'])


class Commands(Case):

    def test_requests(self) -> None:
        self.assertEqual('(no requests)\n', self.command('requests'))
        self.get()
        self.get('/api/v1/features', {})
        lines = f'GET {LIST}\nGET /api/v1/features\n'
        self.assertEqual(lines, self.command('requests'))
        self.assertEqual('(no requests)\n', self.command('requests'))
        self.assertEqual(lines, self.command('requests', 'all'))
        records = [json.loads(line) for line in self.command(
            'requests', 'all', 'json').splitlines()]
        self.assertEqual([(1, 200), (2, 401)], [
            (record['number'], record['status']) for record in records])

    def test_a_mute_answer_has_no_status(self) -> None:
        with self.assertRaises(http.client.RemoteDisconnected):
            self.command('fault', 'close')
            self.get()
        self.assertEqual('0', self.command('arrivals').split()[3])

    def test_wait(self) -> None:
        self.assertEqual(409, self.standin.reply('wait', '1', '0')[0])
        self.get()
        self.command('wait', '1', '5')
        self.command('requests')
        self.assertEqual(409, self.standin.reply('wait', '1', '0')[0])

    def test_complaints(self) -> None:
        for words in (['nothing'], ['dump', 'nothing'], ['delete', 'tasks'],
                      ['objects'], ['objects', 'x'], ['churn', 'next=1'],
                      ['touch', 'tasks', 'nothing'], ['rate'], ['insert'],
                      ['churn', 'stop'], ['insert', 'tasks', 'position=x']):
            self.assertTrue(self.refused(*words), words)

    def test_ctl(self) -> None:
        self.assertEqual('', self.standin.ctl('set', 'order=oldest').stdout)
        self.get()
        self.assertEqual(f'GET {LIST}\n', self.standin.ctl('requests').stdout)
        bad = self.standin.ctl('set', 'order=up')
        self.assertEqual((2, ''), (bad.returncode, bad.stdout))
        self.assertIn('newest', bad.stderr)
        self.assertEqual(1, self.standin.ctl('wait', '1', '0').returncode)
        self.assertEqual(2, self.standin.ctl().returncode)
        dump = self.standin.ctl('dump', 'tasks').stdout
        self.assertEqual(self.command('dump', 'tasks'), dump)

    def test_ctl_names_files_from_here(self) -> None:
        subprocess.run([HERE / 'ctl', 'fault', 'body=@README.md'],
                       env=self.standin.environment, cwd=HERE, check=True)
        self.assertEqual((HERE / 'README.md').read_bytes(), self.get().body)

    def test_readme(self) -> None:
        text = (HERE / 'README.md').read_text()
        for name in [*SWITCHES, *FAULTS, *VERBS]:
            self.assertRegex(text, rf'(?m)^\| `{name}[` =\[]', name)
        for row in SWITCHES.values():
            line = re.search(rf'(?m)^\| `{row.name}`.*', text).group()
            for word in row.words:
                self.assertIn(f'`{word}`', line)
        helped = self.command('help')
        for name in [*SWITCHES, *FAULTS, *VERBS]:
            self.assertRegex(helped, rf'(?m)^{name}\b')


class Process(unittest.TestCase):

    def test_ends(self) -> None:
        for how in ('eof', 'term', 'stop'):
            with self.subTest(how):
                own = Standin()
                sock = socket.create_connection(('127.0.0.1', own.port))
                own.command('fault', 'stall')
                sock.sendall(raw_request(LIST))
                own.command('wait', '1')
                if how == 'term':
                    own.process.terminate()
                elif how == 'stop':
                    self.assertEqual(0, own.ctl('stop').returncode)
                else:
                    own.process.stdin.close()
                self.assertEqual(0, own.process.wait(10))
                self.assertTrue(select.select([sock], [], [], 5)[0])
                sock.close()
                own.process.stdout.close()
                own.process.stdin.close()

    def test_tls(self) -> None:
        own = Standin('--tls', '--objects', '7')
        self.addCleanup(own.end)
        context = ssl.create_default_context(cafile=own.said['ca_file'])
        for host in ('localhost', '127.0.0.1'):
            connection = http.client.HTTPSConnection(
                host, own.port, context=context, timeout=5)
            for _ in range(2):
                before = time.monotonic()
                connection.request('GET', LIST, headers=signed(LIST))
                self.assertEqual(7, len(json.load(
                    connection.getresponse())['tasks']))
                arrival = own.command('arrivals').split()[1]
                self.assertTrue(before < float(arrival) < time.monotonic())
            connection.close()
        for name, error in (('reset', ConnectionResetError),
                            ('close', OSError), ('truncated=2', OSError)):
            own.command('fault', name)
            connection.request('GET', LIST, headers=signed(LIST))
            with self.assertRaises((error, http.client.IncompleteRead)):
                connection.getresponse().read()
            connection.close()
        with self.assertRaises(ssl.SSLCertVerificationError):
            ssl.create_default_context().wrap_socket(
                socket.create_connection(('127.0.0.1', own.port)),
                server_hostname='localhost')
        ca_file = Path(own.said['ca_file'])
        own.command('stop')
        own.process.wait(10)
        self.assertFalse(ca_file.exists())

    def test_tls_for_another_host(self) -> None:
        own = Standin('--tls', '--tls-name', 'other.example')
        self.addCleanup(own.end)
        context = ssl.create_default_context(cafile=own.said['ca_file'])
        with self.assertRaises(ssl.SSLCertVerificationError):
            context.wrap_socket(
                socket.create_connection(('127.0.0.1', own.port)),
                server_hostname='localhost')

    def test_log_file_and_base(self) -> None:
        path = Path(os.environ.get('TMPDIR', '/tmp'),
                    f'standin-test-{os.getpid()}.log')
        self.addCleanup(path.unlink)
        own = Standin('--log', str(path), '--base', '')
        connection = http.client.HTTPConnection('127.0.0.1', own.port)
        connection.request('GET', '/tasks', headers=signed('/tasks'))
        self.assertEqual(200, connection.getresponse().status)
        connection.close()
        self.assertEqual(0, own.end())
        self.assertRegex(path.read_text(),
                         r'^1 \d+\.\d{6} 1 200 GET /tasks\n$')


if __name__ == '__main__':
    unittest.main()
