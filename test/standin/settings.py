"""The switches: every reading of the documents that is open, and the pace.

SWITCHES is the one table: setting, showing, resetting and the README's table
follow it.
"""

from typing import NamedTuple


class Refused(Exception):
    """A command that makes no sense; the text is for whoever gave it."""


class Switch(NamedTuple):
    name: str
    default: str
    words: tuple[str, ...]          # what may be set
    number: type | None             # int or float: may be set as well
    meaning: str

    def parse(self, text: str) -> str | int | float:
        if text in self.words:
            return text
        try:
            value = self.number(text) if self.number else None
        except ValueError:
            value = None
        if value is None or not (value >= 0 or self.name in SIGNED):
            known = [*self.words, *(['a number'] if self.number else [])]
            raise Refused(f'{self.name}={text}: valid are '
                          + ', '.join(known))
        return value


def switch(name: str, values: str, meaning: str,
           number: type | None = None, default: str | None = None) -> Switch:
    words = tuple(values.split())
    return Switch(name, default or words[0], words, number, meaning)


# these take numbers below 0
SIGNED = frozenset(('total', 'clock', 'seed'))

# these change how objects are written
RENDERING = frozenset(('times', 'fraction', 'auroc', 'nulls', 'status_word',
                       'escapes', 'keys', 'extra'))


SWITCHES = {row.name: row for row in (
    switch('index_unit', 'row page ignored',
           'what index counts; ignored: every page is the first'),
    switch('total', 'grand page missing null string negative huge small '
           'large', 'total: the list\'s length, the page\'s, no such key, '
           'null, a string, -1, 2^63-1, half the length, twice the length '
           'and one; or a number', number=int),
    switch('order', 'newest oldest name changed',
           'of the list; changed: last changed first'),
    switch('times', 'none Z +0900 +09:00', 'offset that times carry'),
    switch('fraction', '', 'digits of a second\'s fraction in times, 0-9',
           number=int, default='0'),
    switch('auroc', 'number string null', 'type of AUROC'),
    switch('nulls', 'null absent empty zero blank',
           'how a field without a value is written; empty: "" in texts and '
           'times; zero: 0 in numbers; blank: both'),
    switch('status_word', 'completed complete',
           'status of an object that is ready'),
    switch('escapes', 'utf8 ascii', 'characters beyond ASCII as they are, '
           'or as \\uXXXX'),
    switch('keys', 'documented lower upper', 'case of the objects\' keys'),
    switch('envelope_keys', 'documented lower upper', 'case of the '
           'envelope\'s keys, its array\'s among them'),
    switch('extra', 'off on', 'keys no document has, in objects and '
           'envelope'),
    switch('limit_cap', '', 'most objects in a page; 0: as asked',
           number=int, default='0'),
    switch('limit_fixed', '', 'limit is ignored, pages have so many objects; '
           '0: as asked', number=int, default='0'),
    switch('envelope_limit', 'effective asked wrong string missing null',
           'limit in the envelope; effective: after limit_cap and '
           'limit_fixed'),
    switch('envelope_index', 'asked row wrong string missing null',
           'index in the envelope; row: in rows whatever index_unit'),
    switch('unknown_id', '404 404_empty gateway 400 empty null',
           'answer to a look-up of no object: the service\'s 404, one '
           'without a body, the gateway\'s 404, a 400, 200 with {} or '
           'null'),
    switch('errors', 'wrapped wrapped_number unwrapped responseError '
           'code_msg code_message empty xml html', 'shape of error bodies'),
    switch('content_type', 'json text html missing',
           'Content-Type of good answers'),
    switch('compress', 'off gzip deflate', 'where the client accepts it'),
    switch('trace', 'constant number none', 'x-ncp-trace-id: always the '
           'same, with the number of the request, or not sent'),
    switch('keep_alive', 'on off', 'off: each answer closes its connection, '
           'and says so'),
    switch('accept', 'normal stall close reset refuse', 'what becomes of '
           'new connections, before TLS'),
    switch('accept_ms', '', 'milliseconds after which accept is normal again; '
           '0: never', number=float, default='0'),
    switch('certificate', 'good expired other_host self_signed unknown_ca',
           'that new connections are shown, with TLS; all but good are to '
           'be refused by who trusts the good one'),
    switch('connect_latency', '', 'milliseconds before each new connection '
           'is served, TLS included', number=float, default='0'),
    switch('check', 'on off', 'keys, signatures and timestamps are checked'),
    switch('clock', '', 'seconds the service\'s clock is ahead (timestamps '
           'and Date)', number=int, default='0'),
    switch('latency', '', 'milliseconds before each answer', number=float,
           default='0'),
    switch('patience', '', 'milliseconds that the fault later waits at most',
           number=float, default='20'),
    switch('rate', '', 'requests per second and access key, by their '
           'arrival; 0: no limit', number=float, default='0'),
    switch('rate_burst', '', 'requests that may come at once within rate',
           number=int, default='1'),
    switch('rate_code', '420 410 400', 'code of the 429 above rate'),
    switch('rate_retry_after', '', 'Retry-After of that 429; 0: none',
           number=int, default='0'),
    switch('seed', '', 'start of what position=random draws', number=int,
           default='1'),
)}


class Settings:
    """The switches' present values, as attributes."""

    def __init__(self) -> None:
        self.style = 0              # raised when objects must be rewritten
        self.changed = lambda: None     # set by the server
        self.reset()

    def reset(self) -> None:
        for row in SWITCHES.values():
            setattr(self, row.name, row.parse(row.default))
        self.style += 1
        self.changed()

    def set(self, name: str, text: str) -> None:
        row = SWITCHES.get(name)
        if row is None:
            raise Refused(f'no switch "{name}"; there are: '
                          + ', '.join(SWITCHES))
        setattr(self, name, row.parse(text))
        if name in RENDERING:
            self.style += 1
        self.changed()

    def show(self) -> list[str]:
        """A line for each switch, those not at their default marked."""
        lines = []
        for row in SWITCHES.values():
            value = getattr(self, row.name)
            mark = '' if value == row.parse(row.default) else '  (set)'
            lines.append(f'{row.name}={value}{mark}')
        return lines
