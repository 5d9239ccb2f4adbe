"""What is measured: this extension, the floor, and what people would do
without it.  Each subject does a work once and says what it took."""

import os
import re
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from pgwire import Refused, Session
from works import Work

HERE = Path(__file__).resolve().parent

TASK = '''CREATE {kind} {name} (
    task_id text {id}, task_name text, status text, created_at timestamptz,
    completed_at timestamptz, train_feature_id text, train_feature_name text,
    train_bucket text, train_file_path text, test_feature_id text,
    test_feature_name text, test_bucket text, test_file_path text,
    auroc double precision, line_count {whole}, disk_usage {whole},
    fail_message text)'''


class Place(NamedTuple):
    """A way to the server."""
    name: str
    title: str
    origin: str                     # https://127.0.0.1:12345
    ca_file: str

    def base(self, length: int) -> str:
        return f'{self.origin}/{length}/api/v1'


class Sample(NamedTuple):
    seconds: float
    cpu: float                      # user and system, of the backend or process
    peak: float                     # MB resident; 0: not measured


class Unable(Exception):
    """The subject cannot be measured here, and why."""


def cpu_of(pid: int) -> float:
    """Another process's user and system time: the clock that
    clock_getcpuclockid(3) would give, to the nanosecond.  /proc/PID/stat
    tells the same in hundredths of a second."""
    return time.clock_gettime(~pid << 3 | 2)


def forget_peak(pid: int) -> None:
    Path(f'/proc/{pid}/clear_refs').write_text('5')


def peak_of(pid: int) -> float:
    status = Path(f'/proc/{pid}/status').read_text()
    return int(re.search(r'VmHWM:\s*(\d+)', status)[1]) / 1024


def check(found: int, expected: int, who: str) -> None:
    if found != expected:
        raise SystemExit(f'{who}: {found} rows instead of {expected}')


class Floor:
    """libcurl in a C program, one page after the other or several at once."""

    def __init__(self, programs: Path, place: Place, length: int,
                 in_flight: int, parse: bool) -> None:
        self.name = 'libcurl' + (' + jansson' if parse else '')
        if in_flight > 1:
            self.name += f', {in_flight} in flight'
        self.length, self.parse = length, parse
        arguments = [programs / 'floor', place.base(length), str(in_flight),
                     'parse' if parse else 'bare']
        self.process = subprocess.Popen(
            arguments + ([place.ca_file] if place.ca_file else []),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, work: Work) -> Sample:
        self.process.stdin.write(work.floor + '\n')
        self.process.stdin.flush()
        words = self.process.stdout.readline().split()
        if len(words) != 5:
            raise SystemExit(f'{self.name} ended')
        wall, cpu, peak, _, rows = map(int, words)
        if self.parse and work.floor_rows is not None:
            check(rows, work.floor_rows, self.name)
        return Sample(wall / 1e6, cpu / 1e6, peak / 1024)

    def stop(self) -> None:
        self.process.stdin.close()
        self.process.wait(10)


class Pipe:
    """curl | jq | \\copy."""

    name = 'curl | jq | \\copy'

    def __init__(self, bindir: Path, cluster: Path, place: Place,
                 length: int) -> None:
        self.base = place.base(length)
        self.environment = os.environ | {
            'PGHOST': str(cluster), 'PGUSER': 'postgres',
            'PGOPTIONS': '-c timezone=Asia/Seoul'}
        self.arguments = [HERE / 'peers' / 'curl_jq', bindir / 'psql']

    def run(self, work: Work) -> Sample:
        urls = [self.base + target for target in work.pipe]
        began = time.monotonic()
        process = subprocess.Popen(self.arguments + urls, text=True,
                                   stdout=subprocess.PIPE,
                                   env=self.environment)
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        process.returncode = status
        process.stdout.close()
        if status != 0:
            raise SystemExit(f'{self.name}: status {status}')
        check(int(output.split()[-1]), work.rows, self.name)
        # its ru_maxrss would be that of this program, which it was forked from
        return Sample(seconds, usage.ru_utime + usage.ru_stime, 0)

    def stop(self) -> None:
        pass


class Backend:
    """Something that a backend runs.  Warm: always in the same session;
    fresh: each time in a new one, which is not counted itself."""

    name = ''

    def __init__(self, cluster: Path, fresh: bool) -> None:
        self.cluster, self.fresh = cluster, fresh
        self.session: Session | None = None

    def sql(self, work: Work) -> list[str]:
        """Its statements, the last of which gives the work's rows."""
        raise NotImplementedError

    def settings(self) -> str:
        return ''

    def connect(self) -> Session:
        session = Session(self.cluster)
        session.run("SET timezone = 'Asia/Seoul'; " + self.settings())
        return session

    def run(self, work: Work) -> Sample:
        if self.session is None:
            self.session = self.connect()
        sample = self.measure(self.session, work)
        if self.fresh:
            self.stop()
        return sample

    def measure(self, session: Session, work: Work) -> Sample:
        statements = self.sql(work)
        if work.explain:
            statements = [f'EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF) {each}'
                          if each.startswith('SELECT') else each
                          for each in statements]
        forget_peak(session.pid)
        cpu = cpu_of(session.pid)
        began = time.monotonic()
        for each in statements:
            result = session.run(each, work.explain)
            if work.explain and result.rows:
                rows = int(re.search(r'rows=(\d+)', result.rows[0][0])[1])
            elif not work.explain and result.tag.startswith('SELECT'):
                rows = result.count
        sample = Sample(time.monotonic() - began, cpu_of(session.pid) - cpu,
                        peak_of(session.pid))
        check(rows, work.rows, f'{self.name}, {work.name}')
        return sample

    def stop(self) -> None:
        if self.session is not None:
            self.session.close()
            self.session = None


class Nclue(Backend):
    """This extension."""

    def __init__(self, cluster: Path, place: Place, length: int,
                 in_flight: int, fresh: bool = False, rate: str = '0') -> None:
        super().__init__(cluster, fresh)
        self.name = 'nclue_fdw'
        if in_flight > 1:
            self.name += f', {in_flight} in flight'
        self.schema = f'n_{place.name}_{length}_{in_flight}'
        self.create(f"endpoint '{place.base(length)}', rate_limit '{rate}', "
                    f"max_in_flight '{in_flight}'"
                    + (f", ca_file '{place.ca_file}'" if place.ca_file
                       else ''))

    def create(self, options: str) -> None:
        """Server and table, unless another object of this class did."""
        session = Session(self.cluster)
        name = self.schema
        if not session.run("SELECT 1 FROM pg_namespace "
                           f"WHERE nspname = '{name}'").rows:
            session.run(f'''
                CREATE EXTENSION IF NOT EXISTS nclue_fdw;
                CREATE SCHEMA {name};
                CREATE SERVER {name} FOREIGN DATA WRAPPER nclue_fdw
                    OPTIONS ({options});
                CREATE USER MAPPING FOR CURRENT_USER SERVER {name}
                    OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
                IMPORT FOREIGN SCHEMA nclue LIMIT TO (nclue_tasks)
                    FROM SERVER {name} INTO {name}''')
        session.close()

    def settings(self) -> str:
        return (f'SET search_path = {self.schema}, public; '
                'SET nclue_fdw.progress_interval = 0')

    def sql(self, work: Work) -> list[str]:
        return [each.replace('{list}', 'nclue_tasks') for each in work.sql]


class Functions(Backend):
    """A peer that consists of functions: pgsql-http, PL/Python."""

    def __init__(self, cluster: Path, place: Place, length: int, name: str,
                 extension: str, fresh: bool = False) -> None:
        super().__init__(cluster, fresh)
        self.name, self.length = name, length
        self.prefix = re.sub(r'\W', '_', name.lower())
        self.base = place.base(length)
        install(cluster, self.prefix, extension)

    def settings(self) -> str:
        http = ("SELECT http_set_curlopt('CURLOPT_TCP_KEEPALIVE', '1');"
                if self.prefix == 'pgsql_http' else '')
        return (f"SET bench.base = '{self.base}'; "
                f'SET bench.length = {self.length}; {http}')

    def sql(self, work: Work) -> list[str]:
        if work.peer is None:
            raise Unable('has no use for it')
        return [each.replace('{p}', self.prefix) for each in work.peer]


class Multicorn(Backend):
    """A peer that is a foreign table."""

    name = 'multicorn2'

    def __init__(self, cluster: Path, place: Place, length: int,
                 fresh: bool = False) -> None:
        super().__init__(cluster, fresh)
        install(cluster, 'multicorn', 'multicorn')
        self.table = f'multicorn_{length}_{place.name}'
        session = Session(cluster)
        if not session.run(f"SELECT to_regclass('{self.table}')").rows[0][0]:
            session.run(TASK.format(kind='FOREIGN TABLE', name=self.table,
                                    id='NOT NULL', whole='bigint')
                        + ' SERVER multicorn OPTIONS '
                        f"(base '{place.base(length)}')")
        session.close()

    def sql(self, work: Work) -> list[str]:
        return [each.replace('{list}', self.table) for each in work.sql]


class NoRequest(Backend):
    """As many rows, out of the server itself: what the protocol and the
    client of this benchmark take."""

    name = 'no request'

    def sql(self, work: Work) -> list[str]:
        return [f'SELECT generate_series(1, {work.rows})']


class Local(Backend):
    """A table with the same rows, to compare planning with."""

    name = 'local table'

    def sql(self, work: Work) -> list[str]:
        return [each.replace('{list}', 'local_tasks') for each in work.sql]


def install(cluster: Path, peer: str, extension: str) -> None:
    """A peer's SQL, once; Unable where its extension is not installed."""
    session = Session(cluster)
    try:
        if not session.run('SELECT 1 FROM pg_available_extensions '
                           f"WHERE name = '{extension}'").rows:
            raise Unable(f'extension {extension} is not installed')
        if not session.run('SELECT 1 FROM pg_extension '
                           f"WHERE extname = '{extension}'").rows:
            session.run((HERE / 'peers' / f'{peer}.sql').read_text())
    except Refused as error:
        raise Unable(str(error)) from None
    finally:
        session.close()


def prepare(cluster: Path, ids: list[str]) -> None:
    """What the works and the peers find in the database."""
    session = Session(cluster)
    session.run(TASK.format(kind='TABLE', name='task', id='', whole='bigint'))
    # jq before 1.7 writes integers beyond 2^53 as other numbers
    session.run(TASK.format(kind='TABLE', name='piped', id='',
                            whole='numeric'))
    session.run('CREATE TABLE twenty (task_id text NOT NULL)')
    session.run('INSERT INTO twenty VALUES '
                + ', '.join(f"('{each}')" for each in ids))
    session.run('ANALYZE twenty')
    session.close()
