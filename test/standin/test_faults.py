#!/usr/bin/python3
"""Tests of the faults: one of each name."""

import gzip
import http.client
import json
import time
import unittest
import zlib
from typing import Any

from faults import FAULTS
from harness import HERE, LIST, Case, signed


class Faults(Case):

    def test_each_has_a_test(self) -> None:
        for name in FAULTS:
            self.assertTrue(hasattr(self, f'test_{name}'), name)

    def test_complaints(self) -> None:
        for words in (['nothing'], [], ['next=1'], ['code=1'], ['nul'],
                      ['reset=1'], ['slow=x'], ['reset', 'next=0'],
                      ['reset', 'next=1', 'every=2'], ['body=@/nowhere']):
            self.assertTrue(self.refused('fault', *words), words)

    # selectors

    def statuses(self, *words: str, count: int = 6,
                 target: str = LIST) -> str:
        self.command('fault', 'off')
        self.command('fault', 'status=503', *words)
        return ''.join('-' if self.get(target).status == 200 else 'F'
                       for _ in range(count))

    def test_selectors(self) -> None:
        self.assertEqual('F-----', self.statuses())
        self.assertEqual('FFF---', self.statuses('next=3'))
        self.assertEqual('-F-F-F', self.statuses('every=2'))
        self.assertEqual('--F---', self.statuses('request=+3'))
        self.assertEqual('-F----', self.statuses('request=26'))
        self.assertEqual('FFFFFF', self.statuses('always'))
        self.assertEqual('------', self.statuses('match=features'))
        self.assertEqual('F-----', self.statuses('match=/tasks?'))
        self.assertEqual('-F----', self.statuses('match=tasks',
                                                 'request=+2'))

    def test_matched_requests_are_counted_alone(self) -> None:
        self.command('fault', 'status=503', 'match=features', 'next=1')
        self.assertEqual(200, self.get().status)
        self.assertEqual(503, self.get('/api/v1/features').status)
        self.assertEqual(200, self.get('/api/v1/features').status)

    def test_faults_combine(self) -> None:
        self.command('fault', 'retry_after=3', 'always')
        reply = self.fault('status=429', 'set_cookie')
        self.assertEqual('3', reply.headers['Retry-After'])
        self.assertEqual(2, len(reply.headers.get_all('Set-Cookie')))
        self.assertEqual(429, reply.status)

    # pages and objects

    def row(self, *words: str, number: int = 0) -> dict[str, Any]:
        return self.fault(*words).rows()[number]

    def test_short(self) -> None:
        page = self.fault('short=3')
        self.assertEqual((3, 10, 250), (len(page.rows()), page.json['limit'],
                                        page.json['total']))

    def test_empty_array(self) -> None:
        self.assertEqual([], self.fault('empty_array').rows())

    def test_no_array(self) -> None:
        self.assertEqual({'index', 'limit', 'total'},
                         set(self.fault('no_array').json))

    def test_array(self) -> None:
        for text in ('{}', 'null', '"text"', '7'):
            self.assertEqual(json.loads(text),
                             self.fault(f'array={text}').rows())

    def test_id_missing(self) -> None:
        self.assertNotIn('task_id', self.row('id_missing'))

    def test_id_null(self) -> None:
        self.assertIsNone(self.row('id_null')['task_id'])

    def test_id_number(self) -> None:
        self.assertEqual(4711, self.row('id_number')['task_id'])

    def test_id_twice(self) -> None:
        rows = self.fault('id_twice', 'row=4').rows()
        self.assertEqual(rows[3]['task_id'], rows[4]['task_id'])
        self.assertNotEqual(rows[3]['task_name'], rows[4]['task_name'])

    def test_row(self) -> None:
        rows = self.fault('id_null', 'row=6').rows()
        self.assertEqual([6], [n for n, row in enumerate(rows)
                               if row['task_id'] is None])

    def test_nul(self) -> None:
        self.assertIn('\0', self.row('nul=task_name')['task_name'])

    def test_surrogate(self) -> None:
        self.assertIn('\ud800', self.row('surrogate=status')['status'])

    def test_bad_utf8(self) -> None:
        with self.assertRaises(UnicodeDecodeError):
            self.fault('bad_utf8=task_name').body.decode()

    def test_bigint(self) -> None:
        self.assertEqual(2 ** 63, self.row('bigint=line_count')['line_count'])

    def test_long(self) -> None:
        self.assertEqual(1 << 20, len(self.row('long=status')['status']))

    def test_value(self) -> None:
        self.assertEqual({'a': [1]},
                         self.row('value=status:{"a":[1]}')['status'])
        self.assertIn(b'"status":1e999,',
                      self.fault('value=status:1e999').body)

    def test_envelope(self) -> None:
        page = self.fault('envelope=total:9223372036854775808').json
        self.assertEqual(2 ** 63, page['total'])

    def test_a_look_up_has_faults_as_well(self) -> None:
        target = f'/api/v1/tasks/{self.one()}'
        self.command('fault', 'nul=status', 'deep=9')
        row = self.get(target).json
        self.assertIn('\0', row['status'])
        self.assertIn('deep', row)

    def test_duplicate_keys(self) -> None:
        plain = self.get().json
        reply = self.fault('duplicate_keys')
        self.assertEqual(plain, reply.json)
        self.assertEqual(2, reply.body.count(b'"total":'))
        self.assertEqual(20, reply.body.count(b'"task_id":'))

    def test_deep(self) -> None:
        self.assertIn(b'[' * 3000 + b']' * 3000,
                      self.fault('deep=3000').body)

    def test_huge(self) -> None:
        reply = self.fault('huge=3')
        self.assertGreater(len(reply.body), 3 << 20)
        self.assertEqual(10, len(reply.rows()))

    def test_wide(self) -> None:
        reply = self.fault('wide=2')
        self.assertAlmostEqual(2 << 20, len(reply.body), delta=1 << 16)
        self.assertGreater(reply.json['wide'].count([]), 600_000)
        self.assertEqual(10, len(reply.rows()))

    # answers

    def test_status(self) -> None:
        for status in (400, 403, 418, 429, 500, 502, 503, 504, 599):
            reply = self.fault(f'status={status}')
            self.assertEqual(status, reply.status)
            self.assertIn('message', reply.json['error'])
        self.assertEqual('900', self.fault('status=500').json['error'][
            'errorCode'])
        self.assertEqual(10, len(self.fault('status=206').rows()))
        for status in (204, 304):
            reply = self.fault(f'status={status}')
            self.assertEqual((status, b''), (reply.status, reply.body))
            self.assertEqual(200, self.get().status)

    def test_code(self) -> None:
        reply = self.fault('status=200', 'code=900')
        self.assertEqual((200, '900', 'Unexpected Error'), (
            reply.status, *reply.json['error'].values()))
        self.assertEqual('ENDPOINT', self.fault(
            'status=401', 'code=10100').headers[
                'x-ncp-apigw-response-origin'])

    def test_message(self) -> None:
        reply = self.fault('status=403', 'code=7', 'message=안 됩니다')
        self.assertEqual({'errorCode': '7', 'message': '안 됩니다'},
                         reply.json['error'])

    def test_details(self) -> None:
        reply = self.fault('status=403', 'details=more')
        self.assertEqual('more', reply.json['error']['details'])

    def test_shape(self) -> None:
        reply = self.fault('status=403', 'shape=unwrapped')
        self.assertEqual('230', reply.json['errorCode'])

    def test_html(self) -> None:
        reply = self.fault('html')
        self.assertEqual(200, reply.status)
        self.assertTrue(reply.body.startswith(b'<html>'))
        self.assertEqual(502, self.fault('html', 'status=502').status)

    def test_body(self) -> None:
        self.assertEqual('{"a" 가'.encode(), self.fault('body={"a" 가').body)
        self.assertEqual(b'\xff\xfe', self.fault('body=\udcff\udcfe').body)
        self.assertEqual((HERE / 'ctl').read_bytes(),
                         self.fault(f'body=@{HERE}/ctl').body)

    def test_empty_body(self) -> None:
        reply = self.fault('empty_body')
        self.assertEqual((200, b''), (reply.status, reply.body))

    def test_bom(self) -> None:
        self.assertTrue(self.fault('bom').body.startswith(b'\xef\xbb\xbf{'))

    def test_gzip(self) -> None:
        reply = self.fault('gzip')
        self.assertEqual('gzip', reply.headers['Content-Encoding'])
        self.assertEqual(self.get().body, gzip.decompress(reply.body))

    def test_deflate(self) -> None:
        self.assertEqual(self.get().body,
                         zlib.decompress(self.fault('deflate').body))

    def test_gzip_bomb(self) -> None:
        body = self.fault('gzip_bomb=20').body
        self.assertLess(len(body), 100_000)
        self.assertGreater(len(gzip.decompress(body)), 20 << 20)

    def test_gzip_corrupt(self) -> None:
        with self.assertRaises((zlib.error, OSError, EOFError)):
            gzip.decompress(self.fault('gzip_corrupt').body)

    def test_redirect(self) -> None:
        for words, status in ((['redirect=http://other/'], 302),
                              (['redirect=/x', 'status=307'], 307)):
            reply = self.fault(*words)
            self.assertEqual(status, reply.status)
            self.assertEqual(words[0][9:], reply.headers['Location'])

    def test_early(self) -> None:
        for number in (100, 102, 103):
            self.command('fault', f'early={number}')
            data, _ = self.raw(ends=False)
            self.assertRegex(data, rb'^HTTP/1.1 %d [^{]*HTTP/1.1 200'
                             % number)

    def test_set_cookie(self) -> None:
        self.assertEqual(2, len(self.fault('set_cookie').headers.get_all(
            'Set-Cookie')))
        self.get(Cookie='session=abc')
        self.assertEqual(['', 'session=abc'], [
            json.loads(line)['cookie'] for line in
            self.command('requests', 'json').splitlines()])

    def test_big_headers(self) -> None:
        self.command('fault', 'big_headers')
        data, _ = self.raw(ends=False)
        self.assertGreater(data.index(b'\r\n\r\n'), 100_000)

    def test_header(self) -> None:
        reply = self.fault('header=Content-Type: x/y')
        self.assertEqual(['x/y'], reply.headers.get_all('Content-Type'))

    def test_retry_after(self) -> None:
        reply = self.fault('status=429', 'retry_after=2')
        self.assertEqual('2', reply.headers['Retry-After'])

    def seconds_ahead(self, date: str) -> float:
        return time.mktime(time.strptime(
            date, '%a, %d %b %Y %H:%M:%S GMT')) - time.timezone - time.time()

    def test_retry_date(self) -> None:
        reply = self.fault('status=429', 'retry_date=60')
        self.assertAlmostEqual(60, self.seconds_ahead(
            reply.headers['Retry-After']), delta=3)

    def test_date(self) -> None:
        reply = self.fault('status=401', 'date=-600')
        self.assertAlmostEqual(-600, self.seconds_ahead(
            reply.headers['Date']), delta=3)

    def test_http10(self) -> None:
        self.command('fault', 'http10')
        data, ended = self.raw(ends=True)
        self.assertTrue(data.startswith(b'HTTP/1.0 200') and ended)
        self.assertNotIn(b'Content-Length', data)
        self.assertTrue(data.endswith(b']}'))

    def test_length(self) -> None:
        for difference in (-10, 10):
            self.command('fault', f'length={difference}')
            data, ended = self.raw(ends=False)
            head, _, body = data.partition(b'\r\n\r\n')
            self.assertIn(b'Content-Length: %d' % (len(body) + difference),
                          head)
            self.assertFalse(ended)

    def test_chunked(self) -> None:
        reply = self.fault('chunked=7')
        self.assertEqual('chunked', reply.headers['Transfer-Encoding'])
        self.assertEqual(self.get().body, reply.body)

    def test_chunked_bad(self) -> None:
        with self.assertRaises((http.client.IncompleteRead, ValueError)):
            self.fault('chunked_bad')

    # the wire

    def cut(self, *words: str, ends: bool = True,
            silent: bool = False) -> tuple[bytes, bytes, bool]:
        """Head, body so far, and whether the connection ended."""
        self.command('fault', *words)
        data, ended = self.raw(ends, silent)
        head, _, body = data.partition(b'\r\n\r\n')
        return head, body, ended

    def test_raw(self) -> None:
        self.assertEqual((b'SSH-2.0', b'', True), self.cut('raw=SSH-2.0'))

    def test_reset(self) -> None:
        with self.assertRaises(ConnectionResetError):
            self.fault('reset')

    def test_close(self) -> None:
        with self.assertRaises(http.client.RemoteDisconnected):
            self.fault('close')

    def test_stall(self) -> None:
        self.assertEqual((b'', b'', False),
                         self.cut('stall', ends=False, silent=True))

    def test_stall_head(self) -> None:
        head, body, ended = self.cut('stall_head', ends=False)
        self.assertRegex(head, rb'(?s)^HTTP/1.1 200 OK\r\n.*[^\r\n]$')
        self.assertEqual((b'', False), (body, ended))

    def test_drip_head(self) -> None:
        self.command('fault', 'drip_head=60')
        start = time.monotonic()
        data, _ = self.raw(ends=False, enough=4)
        self.assertEqual(b'HTTP', data)
        self.assertGreater(time.monotonic() - start, 0.18)
        self.assertEqual(self.get().body, self.fault('drip_head=1').body)

    def test_reset_body(self) -> None:
        with self.assertRaises(ConnectionResetError):
            self.cut('reset_body=10')

    def test_truncated(self) -> None:
        whole = len(self.get().body)
        for words, size in (('truncated', whole // 2), ('truncated=3', 3)):
            head, body, ended = self.cut(words)
            self.assertIn(b'Content-Length: %d' % whole, head)
            self.assertEqual((size, True), (len(body), ended))

    def test_chunked_cut(self) -> None:
        head, body, ended = self.cut('chunked_cut=16')
        self.assertIn(b'Transfer-Encoding: chunked', head)
        self.assertNotIn(b'Content-Length', head)
        self.assertEqual((b'10\r\n{"index":0,"limi\r\n', True), (body, ended))

    def test_stall_body(self) -> None:
        _, body, ended = self.cut('stall_body=5', ends=False)
        self.assertEqual((b'{"ind', False), (body, ended))

    def test_slow_body(self) -> None:
        start = time.monotonic()
        self.assertEqual(self.get().body, self.fault('slow_body=150').body)
        self.assertGreater(time.monotonic() - start, 0.15)

    def test_slow(self) -> None:
        start = time.monotonic()
        self.assertEqual(200, self.fault('slow=150').status)
        self.assertGreater(time.monotonic() - start, 0.15)

    def test_later(self) -> None:
        first, second = self.command('ids', 'tasks', '0', '2').split()
        self.command('set', 'patience=9000')
        self.command('fault', 'later', 'request=+1')
        self.command('churn', 'request=+2', 'delete', 'tasks', first)
        other = http.client.HTTPConnection('127.0.0.1', self.standin.port)
        self.addCleanup(other.close)
        other.request('GET', LIST, headers=signed(LIST))
        self.command('wait', '1')
        self.get()
        rows = json.loads(other.getresponse().read())['tasks']
        self.assertEqual(second, rows[0]['task_id'])
        self.assertEqual([2, 1], [
            json.loads(line)['answered'] for line in
            self.command('requests', 'all', 'json').splitlines()])

    def test_later_alone(self) -> None:
        self.assertEqual(200, self.fault('later=3').status)

    def test_drip(self) -> None:
        data, _ = self.raw(ends=False)
        enough = data.index(b'{') + 3
        self.command('fault', 'drip=60')
        start = time.monotonic()
        whole, _ = self.raw(ends=False, enough=enough)
        self.assertGreater(time.monotonic() - start, 0.18)
        self.assertTrue(whole.endswith(b'{"i'), whole)

    def test_endless(self) -> None:
        self.command('fault', 'endless')
        data, ended = self.raw(ends=True, enough=5 << 20)
        self.assertTrue(len(data) >= 5 << 20 and not ended)

    def test_flood(self) -> None:
        plain = self.get().body
        self.assertEqual(plain + b' ' * (3 << 20), self.fault('flood=3').body)
        self.command('fault', 'flood')
        data, ended = self.raw(ends=True, enough=5 << 20)
        self.assertIn(b'Content-Length: %d\r\n' % ((1 << 30) + len(plain)),
                      data)
        self.assertTrue(len(data) >= 5 << 20 and not ended)
        self.command('fault', 'flood=3', 'http10')
        data, ended = self.raw(ends=True)
        self.assertNotIn(b'Content-Length', data)
        self.assertTrue(len(data) > 3 << 20 and ended)

    def test_close_after(self) -> None:
        head, body, ended = self.cut('close_after')
        self.assertNotIn(b'Connection', head)
        self.assertEqual((10, True), (len(json.loads(body)['tasks']), ended))

    def test_what_stalls_ends_with_the_client(self) -> None:
        for name in ('stall', 'stall_body', 'drip', 'endless', 'slow=60000',
                     'length=5', 'stall_head', 'drip_head', 'flood'):
            with self.subTest(name):
                self.command('fault', name)
                self.raw(ends=False, silent=True, enough=1)
                self.await_no_connection()

    def await_no_connection(self) -> None:
        end = time.monotonic() + 10
        while 'open=0' not in self.command('connections'):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)


if __name__ == '__main__':
    unittest.main()
