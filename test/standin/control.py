"""The control port: commands that change and question the stand-in.

A command comes as POST /VERB with its arguments as the body, separated by NUL
bytes; GET /VERB does for one without arguments.  200 brings what it prints,
409 a "no", 400 a complaint.
"""

import socket
import threading
from typing import BinaryIO, Callable, NamedTuple

from faults import FAULTS, FaultRule
from log import Log
from rules import Selector
from service import Change, Service
from settings import SWITCHES, Refused
from store import Entry, Listing, to_bytes, write

VERBS: dict[str, 'Verb'] = {}


class Verb(NamedTuple):
    usage: str
    meaning: str
    run: Callable[['Control', list[str]], str]


class No(Exception):
    """A question is answered with no."""


def verb(name: str, usage: str, meaning: str) -> Callable:
    def add(function: Callable) -> Callable:
        VERBS[name] = Verb(f'{name} {usage}'.rstrip(), meaning, function)
        return function
    return add


def split_pairs(words: list[str]) -> tuple[list[str], dict[str, str]]:
    """Plain words, and those of the form name=value."""
    plain = [word for word in words if '=' not in word]
    pairs = dict(word.split('=', 1) for word in words if '=' in word)
    return plain, pairs


def whole(text: str) -> int:
    if not text.isdigit():
        raise Refused(f'"{text}" is no number')
    return int(text)


class NotHttp(Exception):
    pass


def read_command(stream: BinaryIO) -> tuple[str, list[str]]:
    """The verb and its arguments."""
    words = stream.readline().decode('latin-1').split()
    if len(words) != 3:
        raise NotHttp
    length = 0
    while (line := stream.readline().strip()):
        name, _, value = line.partition(b':')
        if name.lower() == b'content-length':
            length = int(value)
    body = stream.read(length).decode('utf-8', 'surrogateescape')
    return words[1].strip('/'), body.split('\0') if body else []


class Control:
    """The verbs, and the port behind which they are."""

    def __init__(self, service: Service, stop: Callable[[], None],
                 listener: socket.socket) -> None:
        self.service = service
        self.stop = stop
        self.listener = listener
        self.connections: Callable[[], tuple[int, int]] = lambda: (0, 0)
        service.run_change = lambda words: self.run(words[0], words[1:])

    @property
    def log(self) -> Log:
        return self.service.log

    def serve(self) -> None:
        while True:
            sock, _ = self.listener.accept()
            threading.Thread(target=self.converse, args=(sock,),
                             daemon=True).start()

    def converse(self, sock: socket.socket) -> None:
        """One command; whoever does not speak HTTP is left alone."""
        try:
            with sock, sock.makefile('rwb') as stream:
                name, words = read_command(stream)
                status, text = self.reply(name, words)
                data = to_bytes(text)
                stream.write(b'HTTP/1.1 %d -\r\nContent-Type: text/plain\r\n'
                             b'Content-Length: %d\r\nConnection: close\r\n'
                             b'\r\n' % (status, len(data)) + data)
                stream.flush()
        except (NotHttp, OSError):
            return
        if name == 'stop':
            self.stop()

    def reply(self, name: str, words: list[str]) -> tuple[int, str]:
        try:
            return 200, self.run(name, words)
        except Refused as error:
            return 400, f'{error}\n'
        except No as error:
            return 409, f'{error}\n'

    def run(self, name: str, words: list[str]) -> str:
        if name not in VERBS:
            raise Refused(f'no command "{name}"; there are: '
                          + ', '.join(VERBS))
        if name == 'wait':              # others must go on meanwhile
            return VERBS[name].run(self, words)
        with self.service.lock:
            return VERBS[name].run(self, words)

    def listing(self, words: list[str]) -> Listing:
        if not words:
            raise Refused('which list?')
        return self.service.store.listing(words[0])

    def address(self, words: list[str]) -> tuple[Entry, list[str]]:
        """LIST WHO ...: the object, and the words behind."""
        listing = self.listing(words)
        if len(words) < 2:
            raise Refused('which object?  An id, position=P or number=N')
        entry = self.service.store.find(listing, words[1])
        if entry is None:
            raise Refused(f'{words[0]} has no {words[1]}')
        return entry, words[2:]


def lines(items: list[str]) -> str:
    return ''.join(f'{item}\n' for item in items)


@verb('requests', '[all] [json]', 'request lines since the last "requests", '
      'or all; json: all that is known of each, cookies among it')
def requests(control: Control, words: list[str]) -> str:
    records = control.log.read('requests', 'all' in words)
    if 'json' in words:
        return lines([record.as_json() for record in records])
    return lines([record.line() for record in records]) or '(no requests)\n'


@verb('arrivals', '[all]', 'lines "number seconds connection status METHOD '
      'target" since the last "arrivals", or all')
def arrivals(control: Control, words: list[str]) -> str:
    records = control.log.read('arrivals', 'all' in words)
    return lines([record.full_line() for record in records])


@verb('wait', 'COUNT [SECONDS]', 'waits until so many requests came that '
      '"requests" has not shown; fails after SECONDS (10)')
def wait(control: Control, words: list[str]) -> str:
    count = whole(words[0]) if words else 1
    seconds = whole(words[1]) if len(words) > 1 else 10
    if not control.log.wait(count, seconds):
        raise No(f'fewer than {count} requests came in {seconds} s')
    return ''


@verb('connections', '', 'how many are open, how many there were, and the '
      'most requests under way at once since the last "connections"')
def connections(control: Control, words: list[str]) -> str:
    opened, total = control.connections()
    most = control.service.under_way.read()
    return f'open={opened} total={total} most={most}\n'


@verb('set', 'NAME=VALUE ...', 'sets switches')
def set_switches(control: Control, words: list[str]) -> str:
    service = control.service
    plain, pairs = split_pairs(words)
    if plain or not pairs:
        raise Refused('set wants NAME=VALUE ...')
    for name, value in pairs.items():
        service.settings.set(name, value)
    if 'order' in pairs:
        service.store.sort()
    if 'seed' in pairs:
        service.store.seed(service.settings.seed)
    return ''


@verb('rate', 'R [CODE]', 'short for set rate=R rate_code=CODE')
def rate(control: Control, words: list[str]) -> str:
    if not words:
        raise Refused('rate wants requests per second')
    pairs = [f'{name}={word}'
             for name, word in zip(('rate', 'rate_code'), words)]
    control.service.next_start.clear()
    return set_switches(control, pairs)


@verb('batch', 'COMMAND ... ; COMMAND ...', 'several commands, between '
      'which nobody is served; what each prints, with a line ";" in between')
def batch(control: Control, words: list[str]) -> str:
    printed = []
    while words:
        end = words.index(';') if ';' in words else len(words)
        if end == 0 or words[0] == 'wait':  # nobody is served meanwhile
            raise Refused('batch wants COMMAND ... ; COMMAND ..., and no wait')
        printed.append(control.run(words[0], words[1:end]))
        words = words[end + 1:]
    return ';\n'.join(printed)


@verb('show', '', 'switches, lists, faults and scheduled changes as they are')
def show(control: Control, words: list[str]) -> str:
    service = control.service
    store = service.store
    shown = service.settings.show()
    for name, length in store.lengths.items():
        if name in store.listings:
            length = len(store.listings[name].entries)
        shown.append(f'list {name}: {length} objects')
    shown += [f'fault {rule}' for rule in service.faults]
    shown += [f'churn {change}' for change in service.changes]
    return lines(shown)


@verb('reset', '', 'everything as at the start; requests count from 1')
def reset(control: Control, words: list[str]) -> str:
    control.service.reset()
    return ''


@verb('fault', 'FAULT[=VALUE] ... [next=N | every=K | request=N | '
      'request=+N | always] [match=TEXT]; or off', 'faults for these '
      'requests (the next); off: none any more')
def fault(control: Control, words: list[str]) -> str:
    service = control.service
    if words == ['off']:
        service.faults = []
    else:
        service.faults.append(FaultRule(words, len(control.log.records)))
    return ''


@verb('churn', '[next=N | every=K | request=N | request=+N | always] '
      '[match=TEXT] COMMAND ...; or off', 'runs insert, delete, touch, '
      'update, remove-field, objects, set or fault before these requests')
def churn(control: Control, words: list[str]) -> str:
    service = control.service
    if words == ['off']:
        service.changes = []
        return ''
    count = 0
    while count < len(words) and Selector.is_selector(words[count]):
        count += 1
    command = words[count:]
    if not command or command[0] not in CHANGES:
        raise Refused('churn wants one of ' + ', '.join(CHANGES))
    service.changes.append(Change(words[:count], command,
                                  len(control.log.records)))
    return ''


CHANGES = ('insert', 'delete', 'touch', 'update', 'remove-field', 'objects',
           'set', 'fault')


@verb('objects', 'N [LIST]', 'makes all lists, or one, anew with N objects')
def objects(control: Control, words: list[str]) -> str:
    if not words:
        raise Refused('how many objects?')
    control.service.store.set_length(whole(words[0]),
                                     *words[1:2])
    return ''


@verb('insert', 'LIST [position=P] [id=ID] [FIELD=VALUE ...]', 'a new '
      'object, where the order wants it or at P; prints its id')
def insert(control: Control, words: list[str]) -> str:
    control.listing(words)
    _, pairs = split_pairs(words[1:])
    place = pairs.pop('position', None)
    entry = control.service.store.insert(words[0], place, pairs)
    return f'{entry.id}\n'


@verb('delete', 'LIST WHO', 'removes an object')
def delete(control: Control, words: list[str]) -> str:
    entry, _ = control.address(words)
    control.service.store.delete(words[0], entry)
    return ''


@verb('touch', 'LIST WHO', 'an object changes: to the head where '
      'order=changed')
def touch(control: Control, words: list[str]) -> str:
    entry, _ = control.address(words)
    control.service.store.touch(words[0], entry)
    return ''


@verb('update', 'LIST WHO FIELD=VALUE ...', 'gives fields JSON values (what '
      'is no JSON becomes a string); touches the object')
def update(control: Control, words: list[str]) -> str:
    entry, rest = control.address(words)
    control.service.store.update(words[0], entry, split_pairs(rest)[1])
    return ''


@verb('remove-field', 'LIST WHO FIELD ...', 'the object is without these '
      'keys; touches it')
def remove_field(control: Control, words: list[str]) -> str:
    entry, rest = control.address(words)
    control.service.store.remove_fields(words[0], entry, rest)
    return ''


@verb('dump', 'LIST', 'the objects in the list\'s order, as they are served, '
      'one a line')
def dump(control: Control, words: list[str]) -> str:
    settings = control.service.settings
    return lines([write(entry, settings).decode('utf-8', 'surrogateescape')
                  for entry in control.listing(words).entries])


@verb('ids', 'LIST [FROM [COUNT]]', 'ids in the list\'s order')
def ids(control: Control, words: list[str]) -> str:
    entries = control.listing(words).entries
    start = whole(words[1]) if len(words) > 1 else 0
    count = whole(words[2]) if len(words) > 2 else len(entries)
    return lines([entry.id for entry in entries[start:start + count]])


@verb('help', '', 'this list, the switches and the faults')
def help_text(control: Control, words: list[str]) -> str:
    shown = [f'{row.usage}\n\t{row.meaning}' for row in VERBS.values()]
    shown.append('\nWHO is an id, position=P (from 0; -1 is the last; '
                 'random) or number=N (of creation)\n\nswitches:')
    for row in SWITCHES.values():
        values = [*row.words, *(['number'] if row.number else [])]
        shown.append(f'{row.name}={"|".join(values)} '
                     f'(default {row.default})\n\t{row.meaning}')
    shown.append('\nfaults:')
    for each in FAULTS.values():
        value = '' if each.argument == 'flag' else f'={each.argument}'
        shown.append(f'{each.name}{value}\n\t{each.meaning}')
    return lines(shown)


@verb('stop', '', 'ends the stand-in')
def stop(control: Control, words: list[str]) -> str:
    return ''
