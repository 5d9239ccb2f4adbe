"""The faults: FAULTS has each with its name, argument, meaning and code.

A fault works at one of three stages: "page" changes the good answer before it
is written, "answer" changes the written answer, in the order of this file.
The third, "wire", decides how the bytes go out and is in wire.py.  Modifiers
say more about another fault of the same command.
"""

import gzip
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, NamedTuple

from answer import Answer, Page, fail, http_date
from rules import Selector
from settings import Refused, Settings
from store import Raw, Store, to_bytes

FLAG, NUMBER, TEXT, KEY = 'flag', 'number', 'text', 'field'


class Fault(NamedTuple):
    name: str
    stage: str
    argument: str               # FLAG, NUMBER, TEXT or KEY (of an object)
    default: Any                # without a value; None: one is needed
    meaning: str
    apply: Callable | None


FAULTS: dict[str, Fault] = {}


def define(name: str, stage: str, argument: str, default: Any,
           meaning: str) -> Callable:
    def add(function: Callable | None) -> Callable | None:
        FAULTS[name] = Fault(name, stage, argument, default, meaning,
                             function)
        return function
    return add


@dataclass
class Job:
    """What a fault may look at."""
    settings: Settings
    store: Store
    actions: dict[str, Any]

    @property
    def row(self) -> int:
        return self.actions.get('row', 0)


# Pages and objects

def page_fault(name: str, argument: str, default: Any,
               meaning: str) -> Callable:
    return define(name, 'page', argument, default, meaning)


@page_fault('short', NUMBER, 1, 'at most so many rows, nothing else changed')
def short(page: Page, rows: int, job: Job) -> None:
    if page.envelope is not None:
        page.entries = page.entries[:rows]


@page_fault('empty_array', FLAG, True, 'no rows')
def empty_array(page: Page, _: bool, job: Job) -> None:
    short(page, 0, job)


@page_fault('no_array', FLAG, True, 'the envelope without its array')
def no_array(page: Page, _: bool, job: Job) -> None:
    page.no_array = True


@page_fault('array', TEXT, '{}', 'this JSON in place of the array')
def array(page: Page, text: str, job: Job) -> None:
    page.array = Raw(text)


@page_fault('id_missing', FLAG, True, 'the row has no id')
def id_missing(page: Page, _: bool, job: Job) -> None:
    page.override(job.row, page.resource.id_key, None)


@page_fault('id_null', FLAG, True, 'the row\'s id is null')
def id_null(page: Page, _: bool, job: Job) -> None:
    page.override(job.row, page.resource.id_key, Raw('null'))


@page_fault('id_number', FLAG, True, 'the row\'s id is a number')
def id_number(page: Page, _: bool, job: Job) -> None:
    page.override(job.row, page.resource.id_key, Raw('4711'))


@page_fault('id_twice', FLAG, True,
            'the row has the id of the row before it (row 0: of the last)')
def id_twice(page: Page, _: bool, job: Job) -> None:
    if page.entries:
        other = page.entries[(job.row - 1) % len(page.entries)]
        page.override(job.row, page.resource.id_key, Raw(f'"{other.id}"'))


@page_fault('nul', KEY, None, 'the row\'s field contains \\u0000')
def nul(page: Page, key: str, job: Job) -> None:
    page.override(job.row, key, Raw('"nul \\u0000 inside"'))


@page_fault('surrogate', KEY, None,
            'the row\'s field contains half a surrogate pair, \\ud800')
def surrogate(page: Page, key: str, job: Job) -> None:
    page.override(job.row, key, Raw('"half \\ud800 pair"'))


@page_fault('bad_utf8', KEY, None, 'the row\'s field contains bytes that '
            'are not UTF-8')
def bad_utf8(page: Page, key: str, job: Job) -> None:
    page.override(job.row, key, Raw('"broken \udcff\udcc3 bytes"'))


@page_fault('bigint', KEY, None, 'the row\'s field is 2^63')
def bigint(page: Page, key: str, job: Job) -> None:
    page.override(job.row, key, Raw(str(2 ** 63)))


@page_fault('long', KEY, None, 'the row\'s field is a string of 1 MB')
def long(page: Page, key: str, job: Job) -> None:
    page.override(job.row, key, Raw('"' + 'long' * 2 ** 18 + '"'))


@page_fault('value', TEXT, None, 'value=FIELD:JSON, the row\'s field is this '
            'JSON')
def value(page: Page, text: str, job: Job) -> None:
    key, _, json_text = text.partition(':')
    page.override(job.row, key, Raw(json_text))


@page_fault('envelope', TEXT, None, 'envelope=KEY:JSON, a member of the '
            'envelope')
def envelope(page: Page, text: str, job: Job) -> None:
    key, _, json_text = text.partition(':')
    if page.envelope is not None:
        page.envelope[key] = Raw(json_text)


@page_fault('duplicate_keys', FLAG, True, 'index, limit, total and all ids '
            'stand there twice, first wrong, then right')
def duplicate_keys(page: Page, _: bool, job: Job) -> None:
    page.twice = True


@page_fault('deep', NUMBER, 10000, 'an unknown key with so many nested '
            'arrays')
def deep(page: Page, depth: int, job: Job) -> None:
    page.padding.append('"deep":' + '[' * depth + ']' * depth)


@page_fault('huge', NUMBER, 20, 'an unknown key with a string of so many MB')
def huge(page: Page, megabytes: int, job: Job) -> None:
    page.padding.append('"huge":"' + 'x' * (megabytes << 20) + '"')


@page_fault('wide', NUMBER, 10, 'an unknown key with so many MB of empty '
            'arrays')
def wide(page: Page, megabytes: int, job: Job) -> None:
    page.padding.append('"wide":[' + '[],' * ((megabytes << 20) // 3) + '[]]')


# Answers

def answer_fault(name: str, argument: str, default: Any,
                 meaning: str) -> Callable:
    return define(name, 'answer', argument, default, meaning)


@answer_fault('status', NUMBER, None, 'this HTTP status, with an error body; '
              '204 and 304 have none, and another 2xx without code or '
              'message keeps its body')
def status(answer: Answer, number: int, job: Job) -> None:
    actions = job.actions
    if number in (204, 304):
        answer.body = b''
        answer.framed = number == 204
    elif not 200 <= number < 300 or 'code' in actions or 'message' in actions:
        fail(answer, job.settings, number, actions.get('code'),
             actions.get('message'), actions.get('details', ''),
             actions.get('shape'))
    answer.status = number


@answer_fault('html', FLAG, True, 'a web page, with status 200 unless status '
              'says otherwise')
def html(answer: Answer, _: bool, job: Job) -> None:
    code = job.actions.get('status', 200)
    fail(answer, job.settings, code, message='Sign in', shape='html')


@answer_fault('body', TEXT, None, 'these bytes; @FILE: the bytes of a file')
def body(answer: Answer, text: str, job: Job) -> None:
    answer.body = read_text(text)


@answer_fault('empty_body', FLAG, True, 'a body of 0 bytes')
def empty_body(answer: Answer, _: bool, job: Job) -> None:
    answer.body = b''


@answer_fault('bom', FLAG, True, 'a byte order mark before the body')
def bom(answer: Answer, _: bool, job: Job) -> None:
    answer.body = b'\xef\xbb\xbf' + answer.body


@answer_fault('gzip', FLAG, True, 'compressed, whatever the client accepts')
def use_gzip(answer: Answer, _: bool, job: Job) -> None:
    answer.body = gzip.compress(answer.body, 1, mtime=0)
    answer.header('Content-Encoding', 'gzip')


@answer_fault('deflate', FLAG, True, 'likewise, as deflate (zlib)')
def deflate(answer: Answer, _: bool, job: Job) -> None:
    answer.body = zlib.compress(answer.body, 1)
    answer.header('Content-Encoding', 'deflate')


@answer_fault('gzip_bomb', NUMBER, 100, 'the body and so many MB of spaces '
              'behind it, compressed to a thousandth')
def gzip_bomb(answer: Answer, megabytes: int, job: Job) -> None:
    packer = zlib.compressobj(6, wbits=31)
    parts = [packer.compress(answer.body)]
    spaces = b' ' * (1 << 20)
    parts += [packer.compress(spaces) for _ in range(megabytes)]
    answer.body = b''.join(parts) + packer.flush()
    answer.header('Content-Encoding', 'gzip')


@answer_fault('gzip_corrupt', FLAG, True, 'compressed, with bytes changed in '
              'the middle')
def gzip_corrupt(answer: Answer, _: bool, job: Job) -> None:
    use_gzip(answer, True, job)
    middle = len(answer.body) // 2
    answer.body = (answer.body[:middle] + b'\xff\x00\xff\x00\xff\x00\xff\x00'
                   + answer.body[middle + 8:])


@answer_fault('redirect', TEXT, None, 'a 302 to this URL (another status= '
              'instead of 302)')
def redirect(answer: Answer, url: str, job: Job) -> None:
    answer.status = job.actions.get('status', 302)
    answer.body = b''
    answer.header('Location', url)


@answer_fault('early', NUMBER, 103, 'a 1xx answer before the answer')
def early(answer: Answer, number: int, job: Job) -> None:
    answer.early += b'HTTP/1.1 %d Early\r\nx-early: yes\r\n\r\n' % number


@answer_fault('set_cookie', FLAG, True, 'two Set-Cookie headers')
def set_cookie(answer: Answer, _: bool, job: Job) -> None:
    answer.headers += [('Set-Cookie', 'session=abc; Path=/; HttpOnly'),
                       ('Set-Cookie', 'other=def; Max-Age=3600')]


@answer_fault('big_headers', NUMBER, 100, 'so many headers of 1 KB each')
def big_headers(answer: Answer, count: int, job: Job) -> None:
    answer.headers += [(f'x-filler-{n}', 'f' * 1000) for n in range(count)]


@answer_fault('header', TEXT, None, 'header=NAME:VALUE, one more header, or '
              'another value')
def header(answer: Answer, text: str, job: Job) -> None:
    name, _, content = text.partition(':')
    answer.header(name, content.strip())


@answer_fault('retry_after', NUMBER, None, 'Retry-After in seconds')
def retry_after(answer: Answer, seconds: int, job: Job) -> None:
    answer.header('Retry-After', str(seconds))


@answer_fault('retry_date', NUMBER, None, 'Retry-After as the HTTP date so '
              'many seconds from now')
def retry_date(answer: Answer, seconds: int, job: Job) -> None:
    answer.header('Retry-After', http_date(time.time() + seconds))


@answer_fault('date', NUMBER, None, 'Date so many seconds off')
def date(answer: Answer, seconds: int, job: Job) -> None:
    answer.header('Date', http_date(time.time() + seconds))


@answer_fault('http10', FLAG, True, 'an HTTP/1.0 answer without a length, '
              'ended by closing')
def http10(answer: Answer, _: bool, job: Job) -> None:
    answer.version = 'HTTP/1.0'
    answer.framed = True
    answer.keep = False


@answer_fault('length', NUMBER, None, 'Content-Length so many bytes off; '
              'where it promises more, the connection stays open')
def length(answer: Answer, difference: int, job: Job) -> None:
    answer.length = max(len(answer.body) + difference, 0)


def chunk(data: bytes) -> bytes:
    return b'%x\r\n%s\r\n' % (len(data), data)


@answer_fault('chunked', NUMBER, 1000, 'in chunks of so many bytes')
def chunked(answer: Answer, size: int, job: Job) -> None:
    answer.header('Transfer-Encoding', 'chunked')
    answer.framed = True
    pieces = [chunk(answer.body[at:at + size])
              for at in range(0, len(answer.body), max(size, 1))]
    answer.body = b''.join(pieces) + b'0\r\n\r\n'


@answer_fault('chunked_bad', FLAG, True, 'in chunks, the second with a size '
              'that is no number')
def chunked_bad(answer: Answer, _: bool, job: Job) -> None:
    chunked(answer, 1000, job)
    answer.body = chunk(b'{') + b'zz\r\n' + answer.body


def define_wire() -> None:
    """The faults of wire.py, in the order in which the first given wins."""
    for name, argument, default, meaning in (
            ('raw', TEXT, None, 'these bytes instead of HTTP (@FILE as with '
             'body), then closed'),
            ('reset', FLAG, True, 'the connection is reset, before any byte '
             'of the answer'),
            ('close', FLAG, True, 'the connection is closed, before any byte '
             'of the answer'),
            ('stall', FLAG, True, 'not a byte, until the client closes'),
            ('stall_head', FLAG, True, 'half the head and nothing more, until '
             'the client closes'),
            ('drip_head', NUMBER, 1000, 'the head byte by byte, so many '
             'milliseconds apart, and then the body'),
            ('reset_body', NUMBER, 0, 'reset after so many bytes of the '
             'body; 0: half of it'),
            ('truncated', NUMBER, 0, 'closed after so many bytes of the '
             'body; 0: half of it'),
            ('chunked_cut', NUMBER, 0, 'the same in chunks: the last ones '
             'never come'),
            ('stall_body', NUMBER, 0, 'nothing more after so many bytes of '
             'the body, until the client closes; 0: half of it'),
            ('slow_body', NUMBER, 500, 'so many milliseconds in the middle '
             'of the body'),
            ('drip', NUMBER, 1000, 'the body byte by byte, so many '
             'milliseconds apart'),
            ('endless', FLAG, True, 'the body never ends (spaces, in '
             'chunks), until the client closes'),
            ('flood', NUMBER, 1024, 'the body and so many MB of spaces behind '
             'it, which Content-Length counts'),
            ('close_after', FLAG, True, 'the whole answer, then closed '
             'without a word')):
        define(name, 'wire', argument, default, meaning)(None)
    define('slow', 'delay', NUMBER, 500,
           'so many milliseconds before the answer')(None)
    define('later', 'delay', NUMBER, 1,
           'the list is looked at only when so many more requests have been '
           'answered, or the switch patience is over')(None)
    for name, argument, meaning in (
            ('code', TEXT, 'of status: the error code in the body'),
            ('message', TEXT, 'of status: the message'),
            ('details', TEXT, 'of status: the details'),
            ('shape', TEXT, 'of status: the body\'s shape, as the switch '
             'errors'),
            ('row', NUMBER, 'of faults in a row: which, from 0')):
        define(name, 'modifier', argument, None, meaning)(None)


define_wire()


def read_text(text: str) -> bytes:
    """The bytes of an argument, or of the file it names after an @."""
    if text.startswith('@'):
        try:
            return Path(text[1:]).read_bytes()
        except OSError as error:
            raise Refused(str(error)) from None
    return to_bytes(text)


def parse_action(word: str) -> tuple[str, Any]:
    name, equals, text = word.partition('=')
    fault = FAULTS.get(name)
    if fault is None:
        raise Refused(f'no fault "{name}"; there are: ' + ', '.join(FAULTS))
    if not equals:
        if fault.default is None:
            raise Refused(f'{name}=... needs a value ({fault.argument})')
        return name, fault.default
    if fault.argument == FLAG:
        raise Refused(f'{name} takes no value')
    if fault.argument == NUMBER:
        try:
            return name, int(text)
        except ValueError:
            raise Refused(f'{word}: a number is wanted') from None
    if name in ('body', 'raw'):
        read_text(text)
    return name, text


class FaultRule:
    """A command: faults, and the requests they are for."""

    def __init__(self, words: list[str], last_number: int) -> None:
        selectors = [word for word in words if Selector.is_selector(word)]
        self.selector = Selector(selectors, last_number)
        self.words = [word for word in words if word not in selectors]
        self.actions = dict(map(parse_action, self.words))
        if all(FAULTS[name].stage == 'modifier' for name in self.actions):
            raise Refused('no fault is named; there are: '
                          + ', '.join(FAULTS))

    def __str__(self) -> str:
        return ' '.join([*self.words, str(self.selector)])


def apply_faults(stage: str, target: Answer | Page, job: Job) -> None:
    """All of a stage, in the order of the table."""
    for name, fault in FAULTS.items():
        if fault.stage == stage and name in job.actions:
            fault.apply(target, job.actions[name], job)
