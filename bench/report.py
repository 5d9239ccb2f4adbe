#!/usr/bin/env python3
"""Tables and targets out of the raw numbers.

usage: report.py DIRECTORY [DOCUMENT]

DIRECTORY holds performance.json as a run left it; it gets performance.svg and
tables.md.  Of DOCUMENT the part between the markers is
replaced.
"""

import json
import re
import statistics
import sys
from pathlib import Path
from typing import Any, NamedTuple

import chart

MARKERS = ('<!-- bench/run writes from here -->',
           '<!-- bench/run writes to here -->')
FLOOR = 'libcurl + jansson'
NO_REQUEST = 'no request'
BARE = 'libcurl'
OURS = 'nclue_fdw'
PEERS = ('pgsql-http', 'multicorn2', 'PL/Python', 'curl | jq | \\copy')
NEAR = 'HTTP/1.1'
SCAN, LARGE = 'full scan of 10,000', 'full scan of 100,000'
SHORT = 'LIMIT 5'
# rows' order in tables
ORDER = (OURS, 'local table', NO_REQUEST, BARE, FLOOR, *PEERS)

Key = tuple[str, str, str, str]         # group, place, work, subject


class Row(NamedTuple):
    """Medians of all repetitions."""
    seconds: float
    cpu: float
    peak: float
    requests: float
    connections: float
    rounds: dict[int, dict[str, Any]]   # the samples by their repetition

    def times(self, other: 'Row', field: str = 'seconds') -> float:
        """How many times as much as another of the same comparison.  The
        median over the rounds, in which both were measured one right after
        the other: a machine that is busy for a while then slows both."""
        return statistics.median(
            self.rounds[each][field] / other.rounds[each][field]
            for each in self.rounds.keys() & other.rounds.keys())


def in_flight(subject: str) -> int:
    found = re.search(r'(\d+) in flight', subject)
    return int(found[1]) if found else 1


def flying(subject: str, flight: int) -> str:
    return subject if flight == 1 else f'{subject}, {flight} in flight'


class Numbers:
    """The medians of a run."""

    def __init__(self, path: Path) -> None:
        samples: dict[Key, list[dict[str, Any]]] = {}
        content = json.loads(path.read_text())
        self.about: str = content['about']
        for each in content['samples']:
            samples.setdefault((each['group'], each['place'], each['work'],
                                each['subject']), []).append(each)
        self.rows = {key: self.median(each) for key, each in samples.items()}

    @staticmethod
    def median(samples: list[dict[str, Any]]) -> Row:
        return Row(*(statistics.median(each[name] for each in samples)
                     for name in ('seconds', 'cpu', 'peak_mb', 'requests',
                                  'connections')),
                   {each['repetition']: each for each in samples})

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
          row: Row, field: str) -> str:
    """To the floor with as many in flight; "" where there is none."""
    if not subject.startswith((OURS, *PEERS)):
        return ''
    floor = numbers.get(*where, flying(FLOOR, in_flight(subject)))
    floor = floor or numbers.get(*where, FLOOR)
    return f'{row.times(floor, field):.2f}' if floor else ''


def table(numbers: Numbers, group: str, place: str, work: str) -> list[str]:
    where = (group, place, work)
    lines = ['| | ms | to the floor | CPU ms | to the floor | peak MB '
             '| requests | connections |',
             '|---|--:|--:|--:|--:|--:|--:|--:|']
    for subject, row in numbers.subjects(*where):
        lines.append(
            f'| {cell(subject)} '
            f'| {milliseconds(row.seconds)} '
            f'| {ratio(numbers, where, subject, row, "seconds")} '
            f'| {milliseconds(row.cpu) if row.cpu else ""} '
            f'| {ratio(numbers, where, subject, row, "cpu")} '
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

    def add(self, text: str, one: Row | None, other: Row | None,
            limit: float, field: str = 'seconds', **more: Any) -> None:
        """A ratio; nothing where one of the two was not measured."""
        if one and other:
            self.list.append(Target(text, one.times(other, field), limit,
                                    **more))

    def near(self) -> None:
        where = ('near', NEAR, SCAN)
        floor = self.numbers.get(*where, FLOOR)
        ours = self.numbers.get(*where, OURS)
        ahead = self.numbers.get(*where, flying(OURS, 4))
        what = 'full scan, near, warm'
        self.add(f'{what}, one request at a time: time to {FLOOR}', ours,
                 floor, 1.15)
        self.add(f'{what}, one request at a time: CPU to {FLOOR}', ours,
                 floor, 1.25, 'cpu')
        self.add(f'{what}, 4 in flight: time to {FLOOR}, one at a time',
                 ahead, floor, 1.0)
        for name, peer in self.numbers.peers(*where):
            self.add(f'{what}, 4 in flight: time to {name}', ahead, peer, 1.0)

    def far(self) -> None:
        for place, work in self.numbers.works('far'):
            where = ('far', place, work)
            for flight, limit in ((4, 1.15), (8, 1.2)):
                self.add(f'full scan, {place}, {flight} in flight: time to '
                         f'{flying(FLOOR, flight)}',
                         self.numbers.get(*where, flying(OURS, flight)),
                         self.numbers.get(*where, flying(FLOOR, flight)),
                         limit)
            ahead = self.numbers.get(*where, flying(OURS, 4))
            for name, peer in self.numbers.peers(*where):
                self.add(f'full scan, {place}, 4 in flight: how many times '
                         f'faster than {name}', peer, ahead, 2.9, least=True)

    def short(self) -> None:
        fresh = self.numbers.get('fresh', NEAR, SHORT, flying(OURS, 4))
        if fresh:
            self.list.append(Target(f'{SHORT}, fresh backend',
                                    fresh.seconds * 1000, 4, 'ms'))
        self.add(f'{SHORT}, warm: time to one bare request',
                 self.numbers.get('works', NEAR, SHORT, OURS),
                 self.numbers.get('works', NEAR, SHORT, BARE), 1.5)

    def paced(self) -> None:
        for place, work in self.numbers.works('paced'):
            row = self.numbers.get('paced', place, work, OURS)
            self.list.append(Target(
                f'{work}, one request a second: time to one second between '
                'two requests', row.seconds / (row.requests - 1), 1.02))

    def memory(self) -> None:
        """Of a backend that began with LIMIT 1."""
        for flight in (1, 4):
            first, small, large = (
                self.numbers.get('memory', NEAR, work, flying(OURS, flight))
                for work in ('LIMIT 1 of 10,000', SCAN, LARGE))
            more = f', {flight} in flight' if flight > 1 else ''
            if first and small:
                self.list.append(Target(
                    f'peak after a scan of 10,000{more}: more than after '
                    'LIMIT 1', small.peak - first.peak, 6, 'MB'))
            if small and large:
                self.list.append(Target(
                    f'peak after a scan of 100,000{more}: more than after '
                    '10,000', large.peak - small.peak, 8, 'MB'))
            self.add(f'a scan of 100,000{more}: time to one of 10,000', large,
                     small, 11)

    def planning(self) -> None:
        where = ('planning', NEAR, 'planning SELECT *')
        self.add('planning SELECT *: time to that of a local table',
                 self.numbers.get(*where, flying(OURS, 4)),
                 self.numbers.get(*where, 'local table'), 2)

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
    numbers = Numbers(directory / 'performance.json')
    targets = Targets(numbers)
    lines = [numbers.about.rstrip(), '',
             '### Targets', '', *targets.lines(), *tables(numbers)]
    part = '\n'.join(lines) + '\n'
    (directory / 'tables.md').write_text(part)
    (directory / 'performance.svg').write_text(chart.draw(numbers))
    if len(sys.argv) > 2:
        replace_part(Path(sys.argv[2]), part)
    print(part)


if __name__ == '__main__':
    main()
