"""The service: a request in, an answer out."""

import base64
import gzip
import hmac
import threading
import time
import zlib
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from answer import CONTENT_TYPES, Answer, Page, fail, http_date
from data import RESOURCES, Resource
from faults import FAULTS, FaultRule, Job, apply_faults
from log import Log
from rules import Selector
from settings import Refused, Settings
from store import Raw, Store

CLOCK_TOLERANCE_MS = 5 * 60 * 1000
DEFAULT_LIMIT, MOST = 20, 100

# with these, no status line goes out
MUTE = ('raw', 'reset', 'close', 'stall')


class Request(NamedTuple):
    method: str
    target: str                 # as it came
    headers: dict[str, str]     # names in lower case
    connection: int
    arrival: float              # seconds of CLOCK_MONOTONIC


class Delivery(NamedTuple):
    """How an answer goes out."""
    answer: Answer
    delay: float                # seconds before it
    way: str = ''               # a fault of stage "wire"
    value: Any = None


class Change:
    """A command that runs before selected requests."""

    def __init__(self, selectors: list[str], words: list[str],
                 last_number: int) -> None:
        self.selector = Selector(selectors, last_number)
        self.words = words

    def __str__(self) -> str:
        return f'{self.selector} {" ".join(self.words)}'


def signature(secret: str, method: str, target: str, timestamp: str,
              access_key: str) -> str:
    text = f'{method} {target}\n{timestamp}\n{access_key}'
    digest = hmac.digest(secret.encode(), text.encode('latin-1'), 'sha256')
    return base64.b64encode(digest).decode()


class UnderWay:
    """How many requests are, from arrival to the answer's first byte.

    Not to its last one: the client's next request may come before we know that
    it has that.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.now = self.most = 0

    def __enter__(self) -> None:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)

    def __exit__(self, *_: Any) -> None:
        with self.lock:
            self.now -= 1

    def read(self) -> int:
        """The most there were at once since the last time."""
        with self.lock:
            most, self.most = self.most, self.now
            return most


class Service:
    """Everything behind the port.  One request at a time, under the lock.

    The fault "later" lets others go first.
    """

    def __init__(self, keys: dict[str, str], base: str, length: int,
                 log: Log) -> None:
        self.lock = threading.RLock()
        self.turn = threading.Condition(self.lock)
        self.keys = keys
        self.base = base
        self.settings = Settings()
        self.store = Store(self.settings, length)
        self.log = log
        self.under_way = UnderWay()
        self.paths = {base + resource.path: resource
                      for resource in RESOURCES.values()}
        self.run_change = lambda words: None        # set by the control
        self.reset()

    def reset(self) -> None:
        self.settings.reset()
        self.store.reset()
        self.log.reset()
        self.faults: list[FaultRule] = []
        self.changes: list[Change] = []
        self.answered = 0
        self.next_start: dict[str, float] = {}      # by access key

    def handle(self, request: Request) -> Delivery:
        with self.lock:
            record = self.log.add(request.arrival, request.connection,
                                  request.method, request.target,
                                  request.headers.get('cookie', ''))
            self.change(record.number, request.target)
            actions = self.select_faults(record.number, request.target)
            if 'later' in actions:
                goal = self.answered + actions['later']
                self.turn.wait_for(lambda: self.answered >= goal,
                                   self.settings.patience / 1000)
            delivery = self.deliver(request, record.number, actions)
            self.answered += 1
            record.answered = self.answered
            self.turn.notify_all()
            self.log.finish(record, 0 if delivery.way in MUTE
                            else delivery.answer.status)
            return delivery

    def change(self, number: int, target: str) -> None:
        """Runs the commands that are due before this request."""
        for change in self.changes:
            if change.selector.selects(number, target):
                try:
                    self.run_change(change.words)
                except Refused:
                    pass            # the object is gone already
        self.changes = [change for change in self.changes
                        if not change.selector.over]

    def select_faults(self, number: int, target: str) -> dict[str, Any]:
        """The faults of all rules for this request; the latest rule wins."""
        actions: dict[str, Any] = {}
        for rule in self.faults:
            if rule.selector.selects(number, target):
                actions |= rule.actions
        self.faults = [rule for rule in self.faults if not rule.selector.over]
        return actions

    def deliver(self, request: Request, number: int,
                actions: dict[str, Any]) -> Delivery:
        settings = self.settings
        job = Job(settings, self.store, actions)
        answer = Answer()
        answer.headers = [('Date', http_date(time.time() + settings.clock)),
                          ('x-ncp-apigw-response-origin', 'ENDPOINT')]
        if settings.content_type != 'missing':
            answer.header('Content-Type',
                          CONTENT_TYPES[settings.content_type])
        if settings.trace != 'none':
            unique = number if settings.trace == 'number' else 0
            answer.header('x-ncp-trace-id', f'standin-{unique:08d}')
        answer.keep = (settings.keep_alive == 'on' and request.method == 'GET'
                       and request.headers.get('connection', '').lower()
                       != 'close')
        self.answer(request, answer)
        if answer.page is not None:
            apply_faults('page', answer.page, job)
            answer.body = answer.page.write(self.store)
        if job.actions:
            apply_faults('answer', answer, job)
        if settings.compress != 'off':
            self.compress(request, answer)
        delay = settings.latency + job.actions.get('slow', 0)
        for name, fault in FAULTS.items():
            if fault.stage == 'wire' and name in job.actions:
                return Delivery(answer, delay / 1000, name,
                                job.actions[name])
        return Delivery(answer, delay / 1000)

    def compress(self, request: Request, answer: Answer) -> None:
        coding = self.settings.compress
        if (answer.framed or answer.length is not None
                or any(name == 'Content-Encoding'
                       for name, _ in answer.headers)
                or coding not in request.headers.get('accept-encoding', '')):
            return
        if coding == 'gzip':
            answer.body = gzip.compress(answer.body, 1, mtime=0)
        else:
            answer.body = zlib.compress(answer.body, 1)
        answer.header('Content-Encoding', coding)

    def answer(self, request: Request, answer: Answer) -> None:
        """The gateway's checks, then the list or the object."""
        settings = self.settings
        target = request.target
        if not target.startswith('/'):
            # to a proxy: the whole URL; what is signed begins at the path
            url = urlsplit(target)
            target = url.path + (f'?{url.query}' if url.query else '')
        if not self.within_rate(request):
            if settings.rate_retry_after:
                answer.header('Retry-After', str(settings.rate_retry_after))
            fail(answer, settings, 429, settings.rate_code)
            return
        path, _, query = target.partition('?')
        list_path, _, tail = path.rpartition('/')
        resource = self.paths.get(path)
        parent = self.paths.get(list_path) if tail else None
        if request.method != 'GET' or not (resource or parent):
            fail(answer, settings, 404, '300')
            return
        complaint = self.unauthentic(request, target)
        if complaint:
            fail(answer, settings, 401, '200', details=complaint)
        elif resource:
            self.list_page(answer, resource, query)
        else:
            self.one_object(answer, parent, tail)

    def within_rate(self, request: Request) -> bool:
        """Requests that come too early do not count against later ones."""
        settings = self.settings
        if not settings.rate:
            return True
        key = request.headers.get('x-ncp-iam-access-key', '')
        start = self.next_start.get(key, 0.0)
        apart = 1 / settings.rate
        if request.arrival < start - (settings.rate_burst - 1) * apart:
            return False
        self.next_start[key] = max(start, request.arrival) + apart
        return True

    def unauthentic(self, request: Request, target: str) -> str:
        """What is wrong with key, timestamp or signature; "" if nothing."""
        if self.settings.check == 'off':
            return ''
        access_key = request.headers.get('x-ncp-iam-access-key', '')
        timestamp = request.headers.get('x-ncp-apigw-timestamp', '')
        given = request.headers.get('x-ncp-apigw-signature-v2', '')
        secret = self.keys.get(access_key)
        if secret is None or not (timestamp.isascii() and timestamp.isdigit()):
            return 'Invalid authentication information.'
        now_ms = (time.time() + self.settings.clock) * 1000
        if abs(now_ms - int(timestamp)) > CLOCK_TOLERANCE_MS:
            return 'Timestamp expired.'
        if given != signature(secret, request.method, target, timestamp,
                              access_key):
            return 'Invalid signature.'
        return ''

    def list_page(self, answer: Answer, resource: Resource,
                  query: str) -> None:
        settings = self.settings
        parameters = dict(parse_qsl(query, keep_blank_values=True))
        index = whole_number(parameters.get('index', '0'))
        asked = whole_number(parameters.get('limit', str(DEFAULT_LIMIT)))
        if index is None or asked is None or not 1 <= asked <= MOST:
            fail(answer, settings, 400, '100')
            return
        limit = settings.limit_fixed or asked
        if settings.limit_cap:
            limit = min(limit, settings.limit_cap)
        entries = self.store.listing(resource.name).entries
        start = {'row': index, 'page': index * limit,
                 'ignored': 0}[settings.index_unit]
        rows = entries[start:start + limit]
        answer.page = Page(resource, rows, {
            'index': stated(settings.envelope_index, index,
                            {'row': start, 'wrong': index + 1}),
            'limit': stated(settings.envelope_limit, limit,
                            {'asked': asked, 'wrong': limit + 7}),
            'total': stated_total(settings.total, len(entries), len(rows))})
        if settings.extra == 'on':
            answer.page.envelope['hasNext'] = Raw('true')
            answer.page.envelope['links'] = Raw('{"self":[null]}')

    def one_object(self, answer: Answer, resource: Resource,
                   segment: str) -> None:
        entry = self.store.listing(resource.name).by_id.get(unquote(segment))
        if entry is not None:
            answer.page = Page(resource, [entry])
            return
        how = self.settings.unknown_id
        if how in ('empty', 'null'):
            answer.body = b'{}' if how == 'empty' else b'null'
        elif how == 'gateway':
            fail(answer, self.settings, 404, '300')
        else:
            fail(answer, self.settings, 400 if how == '400' else 404, '10199',
                 shape='empty' if how == '404_empty' else None)


def whole_number(text: str) -> int | None:
    """The number of up to 18 ASCII digits, else None."""
    if text.isascii() and text.isdigit() and len(text) <= 18:
        return int(text)
    return None


def stated(how: str, true: int, others: dict[str, int]) -> Raw | None:
    """A number of the envelope as a switch wants it; None: no such key."""
    if how == 'missing':
        return None
    if how == 'null':
        return Raw('null')
    if how == 'string':
        return Raw(f'"{true}"')
    return Raw(str(others.get(how, true)))


def stated_total(how: str | int, grand: int, rows: int) -> Raw | None:
    if isinstance(how, int):
        return Raw(str(how))
    return stated(how, grand, {
        'page': rows, 'negative': -1, 'huge': 2 ** 63 - 1,
        'small': grand // 2, 'large': 2 * grand + 1})
