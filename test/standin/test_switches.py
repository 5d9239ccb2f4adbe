#!/usr/bin/python3
"""Tests of the switches: one of each name, with all its values."""

import gzip
import http.client
import json
import re
import ssl
import time
import unittest
import zlib
from typing import Any, Iterator

from harness import LIST, Case, Standin, signed
from settings import SWITCHES


class Switches(Case):

    def each(self, name: str, expected: dict[str, Any]) -> Iterator[tuple]:
        """Sets the switch to all its words, and to numbers if it takes any."""
        words = {word for word in expected if not re.match(r'[-\d]', word)
                 or word in SWITCHES[name].words}
        self.assertEqual(set(SWITCHES[name].words), words)
        for value, result in expected.items():
            with self.subTest(value):
                self.command('set', f'{name}={value}')
                yield value, result

    def test_each_has_a_test(self) -> None:
        for name in SWITCHES:
            self.assertTrue(hasattr(self, f'test_{name}'), name)

    def test_complaints(self) -> None:
        for word in ('nothing=1', 'order=up', 'rate=x', 'rate=-1',
                     'rate=nan', 'fraction=', 'order'):
            self.assertTrue(self.refused('set', word), word)

    def test_reset(self) -> None:
        before = self.command('show')
        for word in ('order=name', 'total=7', 'rate=3'):
            self.command('set', word)
        self.command('fault', 'reset', 'always')
        self.command('churn', 'always', 'insert', 'tasks')
        self.command('objects', '7')
        self.assertNotEqual(before, self.command('show'))
        self.command('reset')
        self.assertEqual(before, self.command('show'))

    def test_index_unit(self) -> None:
        ids = self.command('ids', 'tasks').split()
        for _, start in self.each('index_unit', {'row': 3, 'page': 30,
                                                 'ignored': 0}):
            rows = self.get('/api/v1/tasks?index=3&limit=10').rows()
            self.assertEqual(ids[start:start + 10],
                             [row['task_id'] for row in rows])

    def test_total(self) -> None:
        for _, total in self.each('total', {
                'grand': 250, 'page': 10, 'missing': 'missing', 'null': None,
                'string': '250', 'negative': -1, 'huge': 2 ** 63 - 1,
                'small': 125, 'large': 501, '172': 172, '-5': -5}):
            page = self.get().json
            self.assertEqual(total, page.get('total', 'missing'))

    def test_order(self) -> None:
        newest = self.command('ids', 'tasks').split()
        for value, key in self.each('order', {
                'newest': None, 'oldest': None, 'name': 'task_name',
                'changed': None}):
            got = [json.loads(line) for line in
                   self.command('dump', 'tasks').splitlines()]
            ids = [row['task_id'] for row in got]
            if key:
                self.assertEqual(sorted(row[key] for row in got),
                                 [row[key] for row in got])
            else:
                self.assertEqual(
                    newest[::-1] if value == 'oldest' else newest, ids)

    def test_times(self) -> None:
        local = self.get().rows()[0]['created_at']
        utc = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(
            time.mktime(time.strptime(local + ' UTC',
                                      '%Y-%m-%dT%H:%M:%S %Z'))
            - time.timezone - 9 * 3600))
        for _, text in self.each('times', {
                'none': local, 'Z': utc, '+0900': local + '+0900',
                '+09:00': local + '+09:00'}):
            self.assertEqual(text, self.get().rows()[0]['created_at'])

    def test_fraction(self) -> None:
        for value, pattern in self.each('fraction', {
                '0': r':\d\d$', '3': r':\d\d\.\d{3}$', '9': r'\.\d{9}$'}):
            self.assertRegex(self.get().rows()[0]['created_at'], pattern)

    def test_auroc(self) -> None:
        for _, kind in self.each('auroc', {'number': float, 'string': str,
                                           'null': type(None)}):
            self.assertIs(kind, type(self.get().rows()[0]['AUROC']))

    def test_nulls(self) -> None:
        # the second has neither times nor numbers nor a message
        for _, values in self.each('nulls', {
                'null': (None, None, None), 'absent': ('-', '-', '-'),
                'empty': ('', None, ''), 'zero': (None, 0, None),
                'blank': ('', 0, '')}):
            row = self.get().rows()[1]
            self.assertEqual(values, tuple(
                row.get(key, '-') for key in ('completed_at', 'line_count',
                                              'fail_message')))

    def test_status_word(self) -> None:
        for value, _ in self.each('status_word', {'completed': 0,
                                                  'complete': 0}):
            self.assertEqual(value, self.get().rows()[0]['status'])

    def test_escapes(self) -> None:
        before = self.get().json
        for value, plain in self.each('escapes', {'utf8': False,
                                                  'ascii': True}):
            reply = self.get()
            self.assertEqual(plain, reply.body.isascii())
            self.assertEqual(before, reply.json)

    def test_keys(self) -> None:
        for _, key in self.each('keys', {'documented': 'AUROC',
                                         'lower': 'auroc',
                                         'upper': 'TASK_ID'}):
            self.assertIn(key, self.get().rows()[0])

    def test_envelope_keys(self) -> None:
        plain = self.get().json
        for _, case in self.each('envelope_keys', {
                'documented': str, 'lower': str, 'upper': str.upper}):
            self.assertEqual({case(key): plain[key] for key in plain},
                             self.get().json)
        self.command('set', 'envelope_keys=upper')
        self.assertEqual([], self.fault('array=[]').json['TASKS'])

    def test_patience(self) -> None:
        for _, seconds in self.each('patience', {'1': 0, '150': 0.15}):
            start = time.monotonic()
            self.command('fault', 'later')
            self.get()
            self.assertGreater(time.monotonic() - start, seconds)

    def test_extra(self) -> None:
        for _, more in self.each('extra', {'off': False, 'on': True}):
            page = self.get()
            self.assertEqual(more, 'hasNext' in page.json)
            self.assertEqual(more, 'tags' in page.rows()[0])

    def test_limit_cap(self) -> None:
        for _, rows in self.each('limit_cap', {'0': 10, '7': 7, '50': 10}):
            page = self.get()
            self.assertEqual(rows, len(page.rows()))
            self.assertEqual(rows, page.json['limit'])
        ids = self.command('ids', 'tasks').split()
        self.command('set', 'limit_cap=7', 'index_unit=page')
        rows = self.get('/api/v1/tasks?index=2&limit=10').rows()
        self.assertEqual(ids[14:21], [row['task_id'] for row in rows])

    def test_limit_fixed(self) -> None:
        for _, rows in self.each('limit_fixed', {'0': 10, '20': 20}):
            self.assertEqual(rows, len(self.get().rows()))

    def test_envelope_limit(self) -> None:
        self.command('set', 'limit_cap=7')
        for _, limit in self.each('envelope_limit', {
                'effective': 7, 'asked': 10, 'wrong': 14, 'string': '7',
                'missing': '-', 'null': None}):
            page = self.get()
            self.assertEqual(limit, page.json.get('limit', '-'))
            self.assertEqual(7, len(page.rows()))

    def test_envelope_index(self) -> None:
        self.command('set', 'index_unit=page')
        for _, index in self.each('envelope_index', {
                'asked': 2, 'row': 20, 'wrong': 3, 'string': '2',
                'missing': '-', 'null': None}):
            page = self.get('/api/v1/tasks?index=2&limit=10').json
            self.assertEqual(index, page.get('index', '-'))

    def test_bare_array(self) -> None:
        self.command('set', 'envelope_index=missing', 'envelope_limit=missing',
                     'total=missing')
        self.assertEqual(['tasks'], list(self.get().json))

    def test_unknown_id(self) -> None:
        for _, expected in self.each('unknown_id', {
                '404': (404, b'10199'), '404_empty': (404, b''),
                'gateway': (404, b'300'), '400': (400, b'10199'),
                'empty': (200, b'{}'), 'null': (200, b'null')}):
            reply = self.get('/api/v1/tasks/unknown')
            self.assertEqual(expected[0], reply.status)
            self.assertIn(expected[1], reply.body)
            self.assertEqual(expected[1] == b'', reply.body == b'')

    def test_errors(self) -> None:
        for value, expected in self.each('errors', {
                'wrapped': lambda e: e['error']['errorCode'] == '230',
                'wrapped_number': lambda e: e['error']['errorCode'] == 230,
                'unwrapped': lambda e: e['errorCode'] == '230',
                'responseError':
                lambda e: e['responseError']['returnCode'] == '230',
                'code_msg': lambda e: (e['code'], e['msg'])
                == (230, 'Forbidden'),
                'code_message': lambda e: e['message'] == 'Forbidden',
                'empty': b'', 'xml': b'<errorCode>230<',
                'html': b'<h1>Forbidden<'}):
            reply = self.fault('status=403')
            if callable(expected):
                self.assertTrue(expected(reply.json))
            elif expected:
                self.assertIn(expected, reply.body)
            else:
                self.assertEqual(b'', reply.body)

    def test_content_type(self) -> None:
        for _, text in self.each('content_type', {
                'json': 'application/json;charset=utf-8',
                'text': 'text/plain;charset=utf-8', 'html': 'text/html',
                'missing': None}):
            self.assertEqual(text, self.get().headers['Content-Type'])

    def test_compress(self) -> None:
        plain = self.get().body
        unpack = {None: bytes, 'gzip': gzip.decompress,
                  'deflate': zlib.decompress}
        for value, coding in self.each('compress', {
                'off': None, 'gzip': 'gzip', 'deflate': 'deflate'}):
            self.assertEqual(plain, self.get().body)
            reply = self.get(**{'accept-encoding': 'gzip, deflate'})
            self.assertEqual(coding, reply.headers['Content-Encoding'])
            self.assertEqual(plain, unpack[coding](reply.body))

    def test_trace(self) -> None:
        for _, pattern in self.each('trace', {
                'constant': r'^standin-0{8}$', 'none': '^None$',
                'number': r'^standin-0{7}[1-9]$'}):
            self.assertRegex(str(self.get().headers['x-ncp-trace-id']),
                             pattern)

    def test_keep_alive(self) -> None:
        for _, header in self.each('keep_alive', {'on': None,
                                                  'off': 'close'}):
            self.assertEqual(header, self.get().headers['Connection'])
        self.assertTrue(self.raw(ends=True)[1])

    def test_accept(self) -> None:
        for value, expected in self.each('accept', {
                'normal': (b'HTTP/1.1 200', False), 'stall': (b'', False),
                'close': (b'', True), 'reset': (b'', True), 'refuse': None}):
            if expected is None:
                with self.assertRaises(ConnectionRefusedError):
                    self.raw(False)
                continue
            try:
                data, ended = self.raw(expected[1], value == 'stall')
            except (ConnectionResetError, BrokenPipeError):
                # closing with the request unread is a reset as well
                self.assertIn(value, ('reset', 'close'))
                continue
            self.assertNotEqual('reset', value)
            self.assertEqual(expected, (data[:12], ended))

    def test_refused_for_a_while(self) -> None:
        for _ in range(3):
            self.command('set', 'accept=refuse')
            with self.assertRaises(ConnectionRefusedError):
                self.raw(False)
            self.command('set', 'accept=normal')
            self.assertEqual(200, self.get().status)
            self.connection.close()
        self.command('set', 'accept=refuse')
        self.command('reset')
        self.assertEqual(200, self.get().status)

    def test_accept_ms(self) -> None:
        for value, again in self.each('accept_ms', {'0': False, '150': True}):
            self.command('set', 'accept=refuse')
            start = time.monotonic()
            with self.assertRaises(ConnectionRefusedError):
                self.raw(False)
            while again:
                try:
                    self.raw(False)
                    break
                except ConnectionRefusedError:
                    time.sleep(0.01)
            self.assertGreaterEqual(time.monotonic() - start,
                                    float(value) / 1000 - 0.01)
        self.command('set', 'accept=refuse', 'accept_ms=50')
        self.command('set', 'accept_ms=0')
        time.sleep(0.1)
        with self.assertRaises(ConnectionRefusedError):
            self.raw(False)

    def test_certificate(self) -> None:
        own = Standin('--tls')
        self.addCleanup(own.end)
        context = ssl.create_default_context(cafile=own.said['ca_file'])
        # newer Pythons ask for more than what these are to show
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        for value, words in self.each('certificate', {
                'good': None, 'expired': 'expired',
                'other_host': 'not valid for',
                'self_signed': 'self.signed certificate',
                'unknown_ca': 'unable to get local issuer'}):
            own.command('set', f'certificate={value}')
            client = http.client.HTTPSConnection(
                'localhost', own.port, timeout=5, context=context)
            self.addCleanup(client.close)
            if words is None:
                client.connect()
                continue
            with self.assertRaisesRegex(ssl.SSLCertVerificationError, words):
                client.connect()

    def test_connect_latency(self) -> None:
        for _, seconds in self.each('connect_latency', {'1': 0, '150': 0.15}):
            start = time.monotonic()
            self.raw(False)
            self.assertGreater(time.monotonic() - start, seconds)

    def test_check(self) -> None:
        for _, status in self.each('check', {'on': 401, 'off': 200}):
            self.assertEqual(status, self.get(LIST, {}).status)

    def test_clock(self) -> None:
        for value, status in self.each('clock', {'0': 200, '310': 401,
                                                 '-310': 401}):
            reply = self.get()
            self.assertEqual(status, reply.status)
            date = time.mktime(time.strptime(reply.headers['Date'],
                                             '%a, %d %b %Y %H:%M:%S GMT'))
            ahead = date - time.timezone - time.time()
            self.assertAlmostEqual(int(value), ahead, delta=3)

    def test_latency(self) -> None:
        for value, _ in self.each('latency', {'0': 0, '120': 0}):
            start = time.monotonic()
            self.get()
            self.assertGreaterEqual(time.monotonic() - start,
                                    int(value) / 1000)

    def test_rate(self) -> None:
        # so slow that the answers do not depend on how fast we are
        for _, statuses in self.each('rate', {'0': [200] * 3,
                                              '0.01': [200, 429, 429]}):
            self.assertEqual(statuses, [self.get().status for _ in range(3)])
        other = signed(LIST, 'OTHER', 'SECRET')
        self.assertEqual(200, self.get(LIST, other).status)
        self.assertEqual(429, self.get(LIST, other).status)

    def test_rate_lets_through_what_is_spaced(self) -> None:
        self.command('rate', '50')
        for _ in range(4):
            self.assertEqual(200, self.get().status)
            time.sleep(0.02)

    def test_rate_burst(self) -> None:
        for value, _ in self.each('rate_burst', {'1': 0, '3': 0}):
            self.command('rate', '0.01')
            good = [self.get().status for _ in range(5)].count(200)
            self.assertEqual(int(value), good)

    def test_rate_code(self) -> None:
        for value, message in self.each('rate_code', {
                '420': 'Rate Limited', '410': 'Throttle Limited',
                '400': 'Quota Exceeded'}):
            self.command('rate', '0.01', value)
            self.get()
            reply = self.get()
            self.assertEqual(429, reply.status)
            self.assertEqual((value, message), tuple(
                reply.json['error'][key] for key in ('errorCode',
                                                     'message')))
            self.assertIsNone(reply.headers['Retry-After'])

    def test_rate_retry_after(self) -> None:
        for _, header in self.each('rate_retry_after', {'0': None,
                                                        '7': '7'}):
            self.command('rate', '0.01')
            self.get()
            self.assertEqual(header, self.get().headers['Retry-After'])

    def test_seed(self) -> None:
        drawn = []
        for _, _ in self.each('seed', {'5': 0, '6': 0, '05': 0}):
            drawn.append([self.place_of_random() for _ in range(5)])
        self.assertEqual(drawn[0], drawn[2])
        self.assertNotEqual(drawn[0], drawn[1])

    def place_of_random(self) -> int:
        new = self.command('insert', 'tasks', 'position=random').strip()
        place = self.command('ids', 'tasks').split().index(new)
        self.command('delete', 'tasks', new)
        return place


if __name__ == '__main__':
    unittest.main()
