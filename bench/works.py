"""The works: what each subject is asked to do."""

from typing import NamedTuple

from pages import PAGE


class Work(NamedTuple):
    name: str
    sql: list[str]                      # {list}: a foreign table
    rows: int                           # that the last statement gives
    peer: list[str] | None = None       # {p}: the prefix of functions
    floor: str = ''                     # a command of the floor program
    floor_rows: int | None = None
    pipe: list[str] = []                # targets for curl
    explain: bool = False               # rows are made, and not sent
    in_a_row: int = 1                   # a sample is the median of so many


def full_scan(length: int, name: str = '', sql: str = 'SELECT * FROM {list}',
              rows: int | None = None, explain: bool = True,
              times: int = 1) -> Work:
    """All pages.  Without overlap for those who do not know better."""
    rows = length if rows is None else rows
    last = (length - 1) // PAGE * PAGE
    return Work(
        name or f'full scan of {length:,}', [sql] * times, rows,
        [sql.replace('{list}', '{p}_tasks(0, NULL)')] * times,
        f'list 0 {length} {PAGE} {PAGE}', length,
        [] if name else [f'/tasks?index=[0-{last}:{PAGE}]&limit={PAGE}'],
        explain)


def short(first: int, want: int) -> Work:
    """A few rows."""
    offset = f' OFFSET {first}' if first else ''
    return Work(
        (f'OFFSET {first} ' if first else '') + f'LIMIT {want}',
        [f'SELECT * FROM {{list}} LIMIT {want}{offset}'], want,
        [f'SELECT * FROM {{p}}_tasks({first}, {want})'],
        f'list {first} {first + 1} 1 {want}', want,
        [f'/tasks?index={first}&limit={want}'], in_a_row=20)


def join(ids: list[str]) -> Work:
    return Work(
        f'join with {len(ids)} local ids',
        ['SELECT t.* FROM twenty JOIN {list} t USING (task_id)'], len(ids),
        ['SELECT t.* FROM twenty, LATERAL {p}_task(twenty.task_id) t'],
        'get ' + ' '.join(ids), len(ids),
        [f'/tasks/{each}' for each in ids], in_a_row=10)


def count(length: int) -> Work:
    """The floor asks for one object and reads total."""
    return full_scan(length, 'count(*)', 'SELECT count(*) FROM {list}', 1,
                     False)._replace(floor='list 0 1 1 1', floor_rows=1,
                                   in_a_row=5)


def other_works(length: int, failed: int, ids: list[str]) -> list[Work]:
    filtered = "SELECT * FROM {list} WHERE status = 'failed'"
    self_join = ('SELECT a.task_id, b.status FROM {list} a '
                 'JOIN {list} b ON a.task_id = b.task_id')
    scan = full_scan(length)
    return [
        full_scan(length, 'two columns', 'SELECT task_id, status FROM {list}'),
        full_scan(length, 'filter', filtered, failed),
        full_scan(length, 'rows sent to the client', explain=False),
        short(0, 5),
        short(5000, 10),
        count(length),
        join(ids),
        full_scan(length, 'self join', self_join)._replace(floor=''),
        full_scan(length, 'the same query twice', times=2)._replace(floor=''),
        scan._replace(
            name='twice, REPEATABLE READ', floor='', pipe=[], peer=None,
            sql=['BEGIN ISOLATION LEVEL REPEATABLE READ', *scan.sql,
                 *scan.sql, 'COMMIT']),
    ]
