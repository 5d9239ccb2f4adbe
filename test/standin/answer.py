"""An answer while it is being made: page, error bodies, head."""

import json
import time
from dataclasses import dataclass, field
from http import HTTPStatus

from data import Resource
from settings import Settings
from store import CASES, Entry, Raw, Store, member, to_bytes, write

# of the gateway, by their codes
GATEWAY = {
    '100': 'Bad Request Exception', '200': 'Authentication Failed',
    '210': 'Permission Denied', '230': 'Forbidden',
    '300': 'Not Found Exception', '400': 'Quota Exceeded',
    '410': 'Throttle Limited', '420': 'Rate Limited',
    '430': 'Request Entity Too Large', '500': 'Endpoint Error',
    '510': 'Endpoint Timeout', '900': 'Unexpected Error',
}

# NCLUE's own; that of an unknown object is not documented, and made up
SERVICE = {
    '10100': 'ACCESS_DENIED', '10101': 'NAME_TOO_LONG',
    '10102': 'DUPLICATE_NAME', '10106': 'PATH_NOT_FOUND',
    '10109': 'PERSONAL_DATA_NOT_ALLOWED', '10199': 'OBJECT_NOT_FOUND',
}

# the code that comes with a status where nothing else is said
USUAL = {400: '100', 401: '200', 403: '230', 404: '300', 413: '430',
         429: '420', 500: '900', 503: '500', 504: '510'}

CONTENT_TYPES = {'json': 'application/json;charset=utf-8',
                 'text': 'text/plain;charset=utf-8', 'html': 'text/html'}


@dataclass
class Page:
    """What a good answer shows: a page of a list, or one object."""
    resource: Resource
    entries: list[Entry]
    envelope: dict[str, Raw | None] | None = None   # None: one object
    array: Raw | None = None            # JSON in place of the array
    no_array: bool = False
    overrides: dict[int, dict[str, Raw | None]] = field(default_factory=dict)
    twice: bool = False                 # every key stands there twice
    padding: list[str] = field(default_factory=list)    # more members

    def override(self, row: int, key: str, value: Raw | None) -> None:
        self.overrides.setdefault(row, {})[key] = value

    def write(self, store: Store) -> bytes:
        rows = [self.write_row(n, entry, store)
                for n, entry in enumerate(self.entries)]
        if self.envelope is None:
            body = rows[0]
            if self.padding:
                more = ','.join(['', *self.padding])
                body = body[:-1] + to_bytes(more) + b'}'
            return body
        case = CASES[store.settings.envelope_keys]
        array_key = case(self.resource.array_key)
        members = [member(case(key), value)
                   for key, value in self.envelope.items()
                   if value is not None]
        if self.twice:
            members = [member(case(key), -7)
                       for key in self.envelope] + members
        members += self.padding
        if self.no_array:
            return to_bytes('{' + ','.join(members) + '}')
        array = (b'[' + b','.join(rows) + b']' if self.array is None
                 else to_bytes(self.array))
        members.append(f'"{array_key}":')
        return to_bytes('{' + ','.join(members)) + array + b'}'

    def write_row(self, n: int, entry: Entry, store: Store) -> bytes:
        if n in self.overrides:
            text = write(entry, store.settings, self.overrides[n])
        else:
            text = store.written(entry)
        if self.twice:
            wrong = member(self.resource.id_key, 'the first of two')
            text = b'{' + to_bytes(wrong) + b',' + text[1:]
        return text


def http_date(seconds: float) -> str:
    return time.strftime('%a, %d %b %Y %H:%M:%S GMT', time.gmtime(seconds))


@dataclass
class Answer:
    """What will be sent; head() and body are its bytes."""
    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b''
    page: Page | None = None
    early: bytes = b''                  # 1xx answers before this one
    length: int | None = None           # what Content-Length states
    framed: bool = False                # Content-Length is not sent
    keep: bool = True                   # the connection is used again
    version: str = 'HTTP/1.1'

    def header(self, name: str, value: str) -> None:
        """Sets a header, in place of one of that name."""
        self.headers = [item for item in self.headers
                        if item[0].lower() != name.lower()]
        self.headers.append((name, value))

    def head(self) -> bytes:
        try:
            reason = HTTPStatus(self.status).phrase
        except ValueError:
            reason = 'Unknown'
        lines = [f'{self.version} {self.status} {reason}']
        lines += [f'{name}: {value}' for name, value in self.headers]
        if not self.framed:
            length = len(self.body) if self.length is None else self.length
            lines.append(f'Content-Length: {length}')
        if not self.keep:
            lines.append('Connection: close')
        return self.early + to_bytes('\r\n'.join(lines) + '\r\n\r\n')


def fail(answer: Answer, settings: Settings, status: int,
         code: str | None = None, message: str | None = None,
         details: str = '', shape: str | None = None) -> None:
    """Makes the answer an error of the given or the switched shape."""
    if code is None:
        code = USUAL.get(status, '')
    if message is None:
        message = GATEWAY.get(code) or SERVICE.get(code) or ''
    shape = shape or settings.errors
    answer.status = status
    answer.page = None
    answer.body = to_bytes(error_text(shape, code, message, details))
    if shape in ('xml', 'html', 'empty'):
        kind = {'xml': 'application/xml', 'html': 'text/html',
                'empty': 'text/plain'}[shape]
    else:
        kind = CONTENT_TYPES['json']
    answer.header('Content-Type', kind)
    answer.header('x-ncp-apigw-response-origin',
                  'APIGW' if code in GATEWAY else 'ENDPOINT')


def error_text(shape: str, code: str, message: str, details: str) -> str:
    """The body of an error; a code of "" is left out."""
    number = int(code) if code.isdigit() else code
    if shape == 'empty':
        return ''
    if shape == 'html':
        return (f'<html>\r\n<head><title>{message or "Error"}</title></head>'
                f'\r\n<body>\r\n<center><h1>{message or "Error"}</h1>'
                '</center>\r\n</body>\r\n</html>\r\n')
    if shape == 'xml':
        return ('<?xml version="1.0" encoding="UTF-8"?>\n<error><errorCode>'
                f'{code}</errorCode><message>{message}</message></error>\n')
    flat = {'errorCode': number if shape == 'wrapped_number' else code,
            'message': message}
    if details:
        flat['details'] = details
    value = {
        'unwrapped': flat,
        'responseError': {'responseError': {'returnCode': code,
                                            'returnMessage': message}},
        'code_msg': {'code': number, 'msg': message},
        'code_message': {'code': code, 'message': message},
    }.get(shape, {'error': flat})
    if not code:
        for level in (value, *value.values()):
            if isinstance(level, dict):
                for key in ('errorCode', 'returnCode', 'code'):
                    level.pop(key, None)
    return json.dumps(value, ensure_ascii=False)
