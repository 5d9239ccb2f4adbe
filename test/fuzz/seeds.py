"""seeds.py DIRECTORY: bodies as the service gives them, one a file.

The stand-in makes them: pages, objects and errors, in all the forms that it
knows, and broken in all the ways that leave an answer.
"""
import http.client
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / 'standin'))

from harness import Standin, signed  # noqa: E402

LISTS = {'tasks': 'tasks', 'features': 'features', 'task-runs': 'task-runs',
         'shopping-intents': 'profile/shopping-intents',
         'custom-attributes': 'profile/custom-attributes'}
SWITCHES = ('escapes=ascii', 'nulls=absent', 'nulls=blank', 'keys=lower',
            'envelope_keys=upper', 'total=string', 'total=huge', 'extra=on',
            'auroc=string', 'times=+09:00 fraction=9')
SHAPES = ('wrapped', 'wrapped_number', 'unwrapped', 'responseError',
          'code_msg', 'code_message', 'empty', 'xml', 'html')
FAULTS = ('empty_array', 'no_array', 'array={}', 'id_missing', 'id_null',
          'id_number', 'id_twice', 'nul=task_name', 'surrogate=task_name',
          'bad_utf8=task_name', 'bigint=line_count', 'duplicate_keys',
          'deep=100', 'html', 'bom', 'value=task_name:{"a":[1.5e3,true]}',
          'value=created_at:"2024-11-11T11:01:30.1234567891+09:00"',
          'envelope=error:{"errorCode":"200","message":"no"}',
          'envelope=total:-172', 'envelope=TOTAL:1',
          'array=[{"TASK_ID":"a","Task_id":"b"},{"AUROC":1,"auroc":2}]')


def bodies(standin: Standin):
    connection = http.client.HTTPConnection('127.0.0.1', standin.port)

    def get(target: str) -> bytes:
        target = f'/api/v1/{target}'
        connection.request('GET', target, headers=signed(target))
        return connection.getresponse().read()

    for name, path in LISTS.items():
        yield get(f'{path}?index=0&limit=2')
        for identity in standin.command('ids', name, '0', '2').split():
            yield get(f'{path}/{identity}')
    for switch in SWITCHES:
        standin.command('set', *switch.split())
        yield get('tasks?index=1&limit=2')
        standin.command('reset')
    for fault in FAULTS:
        standin.command('fault', fault)
        yield get('tasks?index=0&limit=2')
    for shape in SHAPES:
        for status in ('401', '429'):
            standin.command('fault', f'status={status}', f'shape={shape}')
            yield get('tasks?index=0&limit=2')


def main() -> None:
    directory = Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    standin = Standin('--objects', '20')
    count = 0
    for count, body in enumerate(bodies(standin), 1):
        (directory / f'seed-{count:03}').write_bytes(body)
    standin.end()
    print(f'{count} seeds')


main()
