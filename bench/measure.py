#!/usr/bin/env python3
"""Measures everything side by side; bench/run starts it."""

import argparse
import json
import os
import platform
import re
import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import subjects
from pages import List
from pgwire import Session
from servers import Delay, Nginx, Seen, Standin
from subjects import (Backend, Floor, Functions, Local, Multicorn, Nclue,
                      NoRequest, Pipe, Place, Sample, Unable)
from works import Work, full_scan, other_works, short

SMALL, LARGE = 10_000, 100_000
FLIGHTS = (1, 4, 8)
PACED = 950                             # tasks: ten pages


class Effort(NamedTuple):
    """How often each work is done."""
    usual: int
    slow: int                           # seconds each
    slowest: int                        # more than that
    fresh: int
    plans: int                          # times twenty
    all_places: bool                    # also what takes minutes


QUICK = Effort(5, 2, 1, 5, 9, False)
FULL = Effort(15, 5, 3, 9, 25, True)


class Bench:
    def __init__(self, arguments: argparse.Namespace) -> None:
        self.work = Path(arguments.work)
        self.bindir = Path(arguments.bindir)
        self.cluster = Path(arguments.cluster)
        self.preloaded = Path(arguments.preloaded)
        self.only = re.compile(arguments.only)
        self.effort = QUICK if arguments.quick else FULL
        self.records: list[dict[str, Any]] = []
        self.notes: list[str] = []
        self.delays: list[Delay] = []
        self.began = time.monotonic()
        self.started = time.time()
        self.loads = [os.getloadavg()]

    # ---- servers ----

    def say(self, text: str) -> None:
        print(f'[{time.monotonic() - self.began:4.0f}s] {text}', flush=True)

    def start(self) -> None:
        directory = self.work / 'nginx'
        directory.mkdir()
        self.lists = {SMALL: List(SMALL)}
        if self.effort.all_places:
            self.lists[LARGE] = List(LARGE)
        for length, each in self.lists.items():
            self.say(f'pages of {length:,} tasks')
            each.write(directory / 'lists' / str(length))
        self.nginx = Nginx(directory)
        certificate = str(directory / 'cert.pem')
        ports = self.nginx.ports
        self.places = {each.name: each for each in (
            Place('plain', 'HTTP/1.1', f'http://127.0.0.1:{ports["plain"]}',
                  ''),
            Place('tls', 'HTTP/1.1, TLS', f'https://127.0.0.1:{ports["tls"]}',
                  certificate),
            Place('h2', 'HTTP/2, TLS', f'https://127.0.0.1:{ports["h2"]}',
                  certificate))}
        for near in ('plain', 'h2'):
            for latency in (20, 100):
                place = self.places[near]
                delay = Delay(self.work / 'delay', latency, ports[near])
                self.delays.append(delay)
                self.places[f'{near}_{latency}'] = Place(
                    f'{near}_{latency}', f'{place.title}, {latency} ms',
                    f'{place.origin.rpartition(":")[0]}:{delay.port}',
                    place.ca_file)
        self.scan = full_scan(SMALL)
        small = self.lists[SMALL]
        subjects.prepare(self.cluster, small.ids)
        self.others = other_works(SMALL, small.failed(), small.ids)

    def stop(self) -> None:
        self.nginx.stop()
        for each in self.delays:
            each.stop()

    # ---- subjects ----

    def floors(self, place: Place, length: int, flights: tuple[int, ...],
               bare: bool = False) -> list[Floor]:
        return [Floor(self.work, place, length, flight, parse)
                for parse in ((False, True) if bare else (True,))
                for flight in flights]

    def ours(self, place: Place, length: int, flights: tuple[int, ...],
             fresh: bool = False) -> list[Backend]:
        return [Nclue(self.cluster, place, length, flight, fresh)
                for flight in flights]

    def peers(self, place: Place, length: int,
              fresh: bool = False) -> list[Backend]:
        """Those whose extension is installed."""
        makers: dict[str, Callable[[], Backend]] = {
            'pgsql-http': lambda: Functions(
                self.cluster, place, length, 'pgsql-http', 'http', fresh),
            'multicorn2': lambda: Multicorn(
                self.cluster, place, length, fresh),
            'PL/Python': lambda: Functions(
                self.cluster, place, length, 'PL/Python', 'plpython3u',
                fresh)}
        found = []
        for name, make in makers.items():
            try:
                found.append(make())
            except Unable as why:
                self.note(f'{name}: skipped, {why}')
        return found

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)
            self.say(text)

    def pipe(self, place: Place, length: int) -> Pipe:
        return Pipe(self.bindir, self.cluster, place, length)

    # ---- measuring ----

    def keep(self, group: str, place: Place, work: str, subject: str,
             number: int, sample: Sample, seen: Any) -> None:
        self.records.append({
            'group': group, 'place': place.title, 'work': work,
            'subject': subject, 'repetition': number,
            'seconds': round(sample.seconds, 9), 'cpu': round(sample.cpu, 6),
            'peak_mb': round(sample.peak, 2), 'requests': seen.requests,
            'connections': seen.connections, 'opened': seen.opened})

    def compare(self, group: str, place: Place, work: Work,
                found: list[Any], repetitions: int, warm: bool = True,
                few: dict[str, int] | None = None) -> None:
        """One work by several subjects in turn: A B C, B C A, ...; few:
        repetitions of subjects that take long."""
        if not self.only.search(f'{group} {work.name}'):
            return
        self.say(f'{group}: {work.name}, {place.title}')
        if warm:
            for each in found:
                each.run(work)
        for number in range(repetitions):
            turn = number % len(found)
            for each in found[turn:] + found[:turn]:
                if number >= (few or {}).get(each.name, repetitions):
                    continue
                sample, seen = self.sample(each, work)
                self.keep(group, place, work.name, each.name, number, sample,
                          seen)
        for each in found:
            each.stop()

    def sample(self, subject: Any, work: Work) -> tuple[Sample, Seen]:
        """What is over in a millisecond is done several times in a row: the
        first time after something else, the processor's caches are cold."""
        self.nginx.forget()
        samples = [subject.run(work) for _ in range(work.in_a_row)]
        seen = self.nginx.seen()
        return (Sample(statistics.median(each.seconds for each in samples),
                       statistics.median(each.cpu for each in samples),
                       max(each.peak for each in samples)),
                seen._replace(requests=seen.requests // work.in_a_row,
                              connections=-(-seen.connections
                                            // work.in_a_row)))

    def full_scans(self) -> None:
        plain, effort = self.places['plain'], self.effort
        pipe = {Pipe.name: effort.slow}
        self.compare('near', plain, self.scan,
                     self.ours(plain, SMALL, FLIGHTS)
                     + self.floors(plain, SMALL, FLIGHTS, True)
                     + self.peers(plain, SMALL) + [self.pipe(plain, SMALL)],
                     effort.usual, few=pipe)
        self.compare('fresh', plain, self.scan,
                     self.ours(plain, SMALL, (1, 4), True)
                     + self.peers(plain, SMALL, True), effort.fresh, False)
        for name in ('tls', 'h2'):
            place = self.places[name]
            self.compare('near', place, self.scan,
                         self.ours(place, SMALL, FLIGHTS)
                         + self.floors(place, SMALL, FLIGHTS), effort.usual)

    def far_scans(self) -> None:
        effort = self.effort
        for latency, repetitions in ((20, effort.slow), (100, effort.slowest)):
            every = latency == 20 or effort.all_places
            for near in ('plain', 'h2') if every else ('plain',):
                place = self.places[f'{near}_{latency}']
                flights = FLIGHTS if every and near == 'plain' else (4, 8)
                found = self.ours(place, SMALL, flights)
                found += self.floors(place, SMALL, flights)
                if near == 'plain' and every:
                    found += self.peers(place, SMALL)
                    found.append(self.pipe(place, SMALL))
                self.compare('far', place, self.scan, found, repetitions)

    def large_scans(self) -> None:
        if not self.effort.all_places:
            return
        plain, effort = self.places['plain'], self.effort
        self.compare('large', plain, full_scan(LARGE),
                     self.ours(plain, LARGE, (1, 4))
                     + self.floors(plain, LARGE, (1, 4))
                     + self.peers(plain, LARGE) + [self.pipe(plain, LARGE)],
                     effort.slow, few={Pipe.name: 2})

    def other_works(self) -> None:
        plain, effort = self.places['plain'], self.effort
        for work in self.others:
            found: list[Any] = self.ours(plain, SMALL, (1, 4))
            if work.floor:
                found += self.floors(plain, SMALL, (1,), True)
            if work.peer:
                found += self.peers(plain, SMALL)
            if work.in_a_row > 1:
                found.append(NoRequest(self.cluster, False))
            if work.pipe:
                found.append(self.pipe(plain, SMALL))
            self.compare('works', plain, work, found, effort.usual,
                         few={Pipe.name: effort.slow})
        self.compare('fresh', plain, short(0, 5)._replace(in_a_row=1),
                     self.ours(plain, SMALL, (4,), True)
                     + [self.preloaded_fresh(plain)]
                     + self.peers(plain, SMALL, True), effort.fresh, False)

    def preloaded_fresh(self, place: Place) -> Backend:
        found = Nclue(self.preloaded, place, SMALL, 4, True)
        found.name = 'nclue_fdw, preloaded'
        return found

    def sessions(self) -> None:
        """Several at once: the time until the last has ended, and the CPU
        and the largest peak of all."""
        plain = self.places['plain']
        for count in (1, 4, 8):
            work = self.scan._replace(
                name=f'{count} session{"s" * (count > 1)}, full scan each')
            found = {
                name: [make() for _ in range(count)] for name, make in (
                    ('nclue_fdw', lambda: self.ours(plain, SMALL, (1,))[0]),
                    ('nclue_fdw, 4 in flight',
                     lambda: self.ours(plain, SMALL, (4,))[0]),
                    ('libcurl + jansson',
                     lambda: self.floors(plain, SMALL, (1,))[0]))}
            for peer in self.peers(plain, SMALL):
                found[peer.name] = [peer] + [
                    next(each for each in self.peers(plain, SMALL)
                         if each.name == peer.name) for _ in range(count - 1)]
            together = [Together(name, each) for name, each in found.items()]
            self.compare('sessions', plain, work, together, self.effort.slow)

    def memory(self) -> None:
        """Peaks of one backend: after LIMIT 1, then after a full scan.  And
        how time grows with the list."""
        if not self.only.search('memory'):
            return
        plain = self.places['plain']
        self.say('memory')
        for number in range(self.effort.slow):
            for length in self.lists:
                for flight in (1, 4):
                    each = self.ours(plain, length, (flight,))[0]
                    for work in (short(0, 1)._replace(
                            name=f'LIMIT 1 of {length:,}'), full_scan(length)):
                        self.nginx.forget()
                        sample = each.run(work)
                        self.keep('memory', plain, work.name, each.name,
                                  number, sample, self.nginx.seen())
                    each.stop()

    def planning(self) -> None:
        """What EXPLAIN says of itself, to the microsecond: so the mean of
        twenty is a sample."""
        if not self.only.search('planning'):
            return
        self.say('planning')
        plain = self.places['plain']
        session = Session(self.cluster)
        session.run('CREATE TABLE local_tasks (LIKE task)')
        session.close()
        work = Work('planning SELECT *', [
            'EXPLAIN (SUMMARY ON) SELECT * FROM {list}'], 0)
        found = [self.ours(plain, SMALL, (4,))[0],
                 Local(self.cluster, False)]
        for each in found:
            each.session = each.connect()
        for number in range(-1, self.effort.plans):
            for each in found:
                self.nginx.forget()
                times = [planning_time(each.session, each.sql(work)[0])
                         for _ in range(20)]
                if number >= 0:
                    self.keep('planning', plain, work.name, each.name, number,
                              Sample(sum(times) / len(times), 0, 0),
                              self.nginx.seen())
        for each in found:
            each.stop()

    def paced(self) -> None:
        """One request a second, against a service that refuses more."""
        if not self.only.search('paced'):
            return
        standin = Standin(PACED)
        place = Place('paced', 'HTTP/1.1, 1 request/s',
                      f'http://127.0.0.1:{standin.port}', '')
        paced = PacedList(place.origin)
        standin.ctl('set', 'rate=1')
        for count in (1, 4) if self.effort.all_places else (1,):
            work = full_scan(PACED)._replace(
                name=f'10 pages each by {count} '
                     f'session{"s" * (count > 1)}')
            self.say(f'paced: {work.name}')
            each = Together('nclue_fdw', [
                Nclue(self.preloaded, paced, PACED, 4, rate='1')
                for _ in range(count)])
            each.connect()
            time.sleep(1.1)             # from idle
            standin.forget()
            sample = each.run(work)
            self.keep('paced', place, work.name, each.name, 0, sample,
                      standin.seen())
            each.stop()
        standin.stop()

    def about(self) -> str:
        """When, with what, on what."""
        session = Session(self.cluster)
        version = session.run('SHOW server_version').rows[0][0]
        own = session.run('SELECT nclue_fdw_version()').rows[0][0]
        peers = session.run(
            "SELECT string_agg(extname || ' ' || extversion, ', ') "
            "FROM pg_extension WHERE extname IN ('http', 'multicorn')"
        ).rows[0][0]
        session.close()
        cpu = re.search(r'model name\s*: (.*)',
                        Path('/proc/cpuinfo').read_text())
        load = ', '.join(f'{load[0]:.1f}' for load in self.loads)
        size = sum(path.stat().st_size for path in
                   (self.work / 'nginx/lists' / str(SMALL) / 'tasks').glob(
                       '*00-100')) / 1e6
        lines = [
            f'{time.strftime("%Y-%m-%d", time.gmtime(self.started))}, '
            f'PostgreSQL {version}, {own}, {peers + ", " if peers else ""}'
            f'Linux {platform.release()}, '
            f'{os.cpu_count()} × {cpu[1] if cpu else platform.machine()}. '
            f'The pages of 10,000 tasks are {size:.1f} MB. Medians of '
            f'{self.effort.usual} repetitions near, {self.effort.slow} at '
            f'20 ms and {self.effort.slowest} at 100 ms. Load of the machine '
            f'at the beginning and the end: {load}.']
        lines += [f'{each}.' for each in self.notes]
        return '\n\n'.join(lines) + '\n'

    def run(self) -> None:
        self.start()
        try:
            self.full_scans()
            self.far_scans()
            self.other_works()
            self.large_scans()
            self.sessions()
            self.memory()
            self.planning()
            self.paced()
        finally:
            self.stop()
        self.loads.append(os.getloadavg())


def planning_time(session: Session, statement: str) -> float:
    lines = [line[0] for line in session.run(statement).rows]
    return next(float(line.split()[2]) for line in lines
                if line.startswith('Planning Time')) / 1000


class PacedList(Place):
    """The stand-in has one list, whatever its length."""

    def __new__(cls, origin: str) -> 'PacedList':
        return super().__new__(cls, 'paced', '', origin, '')

    def base(self, length: int) -> str:
        return f'{self.origin}/api/v1'


class Together:
    """Several of one kind at the same time."""

    def __init__(self, name: str, members: list[Any]) -> None:
        self.name, self.members = name, members

    def connect(self) -> None:
        for each in self.members:
            each.session = each.connect()

    def run(self, work: Work) -> Sample:
        samples: list[Sample] = []
        threads = [threading.Thread(
            target=lambda each=each: samples.append(each.run(work)))
            for each in self.members]
        began = time.monotonic()
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        seconds = time.monotonic() - began
        if len(samples) < len(self.members):
            raise SystemExit(f'{self.name}: a session failed')
        return Sample(seconds, sum(each.cpu for each in samples),
                      max(each.peak for each in samples))

    def stop(self) -> None:
        for each in self.members:
            each.stop()


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ('--work', '--bindir', '--cluster', '--preloaded', '--out'):
        parser.add_argument(name, required=True)
    parser.add_argument('--only', default='')
    parser.add_argument('--quick', action='store_true')
    arguments = parser.parse_args()
    bench = Bench(arguments)
    bench.run()
    out = Path(arguments.out)
    with (out / 'performance.json').open('w') as file:
        file.write('{"about": ' + json.dumps(bench.about(), ensure_ascii=False)
                   + ',\n"samples": [\n')
        file.write(',\n'.join(json.dumps(each) for each in bench.records))
        file.write(']}\n')
    bench.say('measured')


if __name__ == '__main__':
    main()
