#!/usr/bin/env python3
"""Tables and targets out of the raw numbers.

usage: report.py DIRECTORY [DOCUMENT]

DIRECTORY holds performance.csv and about.txt as a run left them; it gets
performance.svg and tables.md.  Of DOCUMENT the part between the markers is
replaced.
"""

import csv
import re
import statistics
import sys
from pathlib import Path
from typing import Any, NamedTuple

import chart

MARKERS = ('<!-- bench/run writes from here -->',
           '<!-- bench/run writes to here -->')
FLOOR = 'libcurl + jansson'
BARE = 'libcurl'
OURS = 'nclue_fdw'
PEERS = ('pgsql-http', 'multicorn2', 'PL/Python', 'curl | jq | \\copy')
NEAR = 'HTTP/1.1'
SCAN, LARGE = 'full scan of 10,000', 'full scan of 100,000'
SHORT = 'LIMIT 5'
# rows' order in tables
ORDER = (OURS, 'local table', BARE, FLOOR, *PEERS)

Key = tuple[str, str, str, str]         # group, place, work, subject


class Row(NamedTuple):
    """Medians of all repetitions."""
    seconds: float
    cpu: float
    peak: float
    requests: float
    connections: float
    count: int


def in_flight(subject: str) -> int:
    found = re.search(r'(\d+) in flight', subject)
    return int(found[1]) if found else 1


def flying(subject: str, flight: int) -> str:
    return subject if flight == 1 else f'{subject}, {flight} in flight'


class Numbers:
    """The medians of a run."""

    def __init__(self, path: Path) -> None:
        samples: dict[Key, list[dict[str, str]]] = {}
        with path.open(newline='') as file:
            for each in csv.DictReader(file):
                samples.setdefault((each['group'], each['place'],
                                    each['work'], each['subject']),
                                   []).append(each)
        self.rows = {key: self.median(each) for key, each in samples.items()}

    @staticmethod
    def median(samples: list[dict[str, str]]) -> Row:
        return Row(*(statistics.median(float(each[name]) for each in samples)
                     for name in ('seconds', 'cpu', 'peak_mb', 'requests',
                                  'connections')), len(samples))

    def get(self, *key: str) -> Row | None:
        return self.rows.get(key)

    def works(self, group: str) -> list[tuple[str, str]]:
        return list(dict.fromkeys((key[1], key[2]) for key in self.rows
                                  if key[0] == group))

    def subjects(self, group: str, place: str,
                 work: str) -> list[tuple[str, Row]]:
        found = [(key[3], row) for key, row in self.rows.items()
                 if key[:3] == (group, place, work)]
        return sorted(found, key=lambda each: (
            ORDER.index(each[0].split(',')[0]), in_flight(each[0])))

    def peers(self, *where: str) -> list[tuple[str, Row]]:
        return [each for each in self.subjects(*where) if each[0] in PEERS]


def milliseconds(seconds: float) -> str:
    value = seconds * 1000
    return f'{value:,.0f}' if value >= 100 else f'{value:.3g}'


def cell(text: str) -> str:
    """Of a Markdown table."""
    return text.replace('|', '\\|')


# ---- tables ----

def ratio(numbers: Numbers, where: tuple[str, str, str], subject: str,
          row: Row) -> str:
    """To the floor with as many in flight; "" where there is none."""
    if not subject.startswith((OURS, *PEERS)):
        return ''
    floor = numbers.get(*where, flying(FLOOR, in_flight(subject)))
    floor = floor or numbers.get(*where, FLOOR)
    return f'{row.seconds / floor.seconds:.2f}' if floor else ''


def table(numbers: Numbers, group: str, place: str, work: str) -> list[str]:
    where = (group, place, work)
    lines = ['| | ms | to the floor | CPU ms | peak MB | requests '
             '| connections |', '|---|--:|--:|--:|--:|--:|--:|']
    for subject, row in numbers.subjects(*where):
        lines.append(
            f'| {cell(subject)} '
            f'| {milliseconds(row.seconds)} '
            f'| {ratio(numbers, where, subject, row)} '
            f'| {milliseconds(row.cpu) if row.cpu else ""} '
            f'| {f"{row.peak:.1f}" if row.peak else ""} '
            f'| {row.requests:.0f} | {row.connections:.0f} |')
    return lines


TITLES = {
    'near': 'Full scans, near, the same session again',
    'fresh': 'In a fresh backend, preloading nothing',
    'far': 'Full scans, far',
    'large': 'A list of 100,000',
    'works': 'Other statements, near, the same session again',
    'sessions': 'Several sessions at once: until the last has ended',
    'memory': 'Memory of one backend, first LIMIT 1, then a full scan',
    'planning': 'Planning',
    'paced': 'One request a second',
}


def tables(numbers: Numbers) -> list[str]:
    lines = []
    for group, title in TITLES.items():
        works = numbers.works(group)
        if works:
            lines += ['', f'### {title}']
        for place, work in works:
            lines += ['', f'**{work}**, {place}', '']
            lines += table(numbers, group, place, work)
    return lines


# ---- targets ----

class Target(NamedTuple):
    text: str
    value: float
    limit: float
    unit: str = '×'
    least: bool = False                 # the limit is the smallest allowed

    @property
    def met(self) -> bool:
        return (self.value >= self.limit if self.least
                else self.value <= self.limit)

    def line(self) -> str:
        bound = 'at least' if self.least else 'at most'
        return (f'| {cell(self.text)} | {bound} {self.limit:g} {self.unit} '
                f'| {self.value:.3g} {self.unit} '
                f'| {"met" if self.met else "**missed**"} |')


class Targets:
    """Those that this run has the numbers for."""

    def __init__(self, numbers: Numbers) -> None:
        self.numbers = numbers
        self.list: list[Target] = []
        self.near()
        self.far()
        self.short()
        self.paced()
        self.memory()
        self.planning()
        self.growth()

    def add(self, text: str, one: Any, other: Any, limit: float,
            **more: Any) -> None:
        """A ratio; nothing where one of the two was not measured."""
        if one and other:
            self.list.append(Target(text, one / other, limit, **more))

    def seconds(self, *key: str) -> float | None:
        row = self.numbers.get(*key)
        return row and row.seconds

    def fastest_peer(self, *where: str) -> tuple[str, float | None]:
        peers = self.numbers.peers(*where)
        if not peers:
            return '', None
        name, row = min(peers, key=lambda each: each[1].seconds)
        return name, row.seconds

    def near(self) -> None:
        where = ('near', NEAR, SCAN)
        floor = self.numbers.get(*where, FLOOR)
        ours = self.numbers.get(*where, OURS)
        ahead = self.seconds(*where, flying(OURS, 4))
        if not (floor and ours):
            return
        what = 'full scan, near, warm'
        self.add(f'{what}, one request at a time: time to {FLOOR}',
                 ours.seconds, floor.seconds, 1.15)
        self.add(f'{what}, one request at a time: CPU to {FLOOR}',
                 ours.cpu, floor.cpu, 1.25)
        self.add(f'{what}, 4 in flight: time to {FLOOR}, one at a time',
                 ahead, floor.seconds, 1.0)
        name, peer = self.fastest_peer(*where)
        self.add(f'{what}, 4 in flight: time to the fastest peer, {name}',
                 ahead, peer, 1.0)

    def far(self) -> None:
        for place, work in self.numbers.works('far'):
            where = ('far', place, work)
            for flight, limit in ((4, 1.15), (8, 1.2)):
                self.add(f'full scan, {place}, {flight} in flight: time to '
                         f'{flying(FLOOR, flight)}',
                         self.seconds(*where, flying(OURS, flight)),
                         self.seconds(*where, flying(FLOOR, flight)), limit)
            name, peer = self.fastest_peer(*where)
            self.add(f'full scan, {place}, 4 in flight: times faster than '
                     f'the fastest peer, {name}', peer,
                     self.seconds(*where, flying(OURS, 4)), 2.9, least=True)

    def short(self) -> None:
        fresh = self.seconds('fresh', NEAR, SHORT, flying(OURS, 4))
        if fresh:
            self.list.append(Target(f'{SHORT}, fresh backend', fresh * 1000,
                                    4, 'ms'))
        self.add(f'{SHORT}, warm: time to one bare request',
                 self.seconds('works', NEAR, SHORT, OURS),
                 self.seconds('works', NEAR, SHORT, BARE), 1.5)

    def paced(self) -> None:
        for place, work in self.numbers.works('paced'):
            row = self.numbers.get('paced', place, work, OURS)
            self.add(f'{work}, one request a second: time to one second '
                     'between two requests', row.seconds,
                     row.requests - 1, 1.02)

    def memory(self) -> None:
        def peak(work: str, flight: int) -> float:
            row = self.numbers.get('memory', NEAR, work,
                                   flying(OURS, flight))
            return row.peak if row else 0

        for flight in (1, 4):
            small = peak(SCAN, flight)
            large = peak(LARGE, flight)
            more = f', {flight} in flight' if flight > 1 else ''
            if small:
                self.list.append(Target(
                    f'peak after a scan of 10,000{more}: more than after '
                    'LIMIT 1', small - peak('LIMIT 1 of 10,000', flight), 6,
                    'MB'))
            if small and large:
                self.list.append(Target(
                    f'peak after a scan of 100,000{more}: more than after '
                    '10,000', large - small, 8, 'MB'))

    def planning(self) -> None:
        where = ('planning', NEAR, 'planning SELECT *')
        self.add('planning SELECT *: time to that of a local table',
                 self.seconds(*where, flying(OURS, 4)),
                 self.seconds(*where, 'local table'), 2)

    def growth(self) -> None:
        for flight in (1, 4):
            self.add(f'100,000 tasks: times that of 10,000'
                     + (f', {flight} in flight' if flight > 1 else ''),
                     self.seconds('large', NEAR, LARGE, flying(OURS, flight)),
                     self.seconds('near', NEAR, SCAN, flying(OURS, flight)),
                     11)

    def lines(self) -> list[str]:
        if not self.list:
            return []
        met = sum(each.met for each in self.list)
        return ['| | target | measured | |', '|---|---|--:|---|',
                *(each.line() for each in self.list), '',
                f'{met} of {len(self.list)} met.']


def replace_part(document: Path, part: str) -> None:
    text = document.read_text()
    before, _, rest = text.partition(MARKERS[0])
    _, marker, after = rest.partition(MARKERS[1])
    if not marker:
        raise SystemExit(f'{document} has no markers')
    document.write_text(f'{before}{MARKERS[0]}\n{part}{MARKERS[1]}{after}')


def main() -> None:
    directory = Path(sys.argv[1])
    numbers = Numbers(directory / 'performance.csv')
    targets = Targets(numbers)
    lines = [(directory / 'about.txt').read_text().rstrip(), '',
             '### Targets', '', *targets.lines(), *tables(numbers)]
    part = '\n'.join(lines) + '\n'
    (directory / 'tables.md').write_text(part)
    (directory / 'performance.svg').write_text(chart.draw(numbers))
    if len(sys.argv) > 2:
        replace_part(Path(sys.argv[2]), part)
    print(part)


if __name__ == '__main__':
    main()
