"""The five lists as data, and objects made for them.

An object is a function of its list and its number alone: number 17 of a list
is the same on every machine, and whatever the length of the list.  Numbers
count from 1 in the order of creation.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Any, Callable, NamedTuple

TEXT, TIME, INTEGER, REAL = 'text', 'time', 'integer', 'real'

FIRST_CREATED = datetime(2024, 2, 20, 9, 0, 0)      # Korean time
BIGGEST = 2 ** 63 - 1
STATUSES = ('registered', 'pending', 'in_progress', 'completed', 'failed')

# One name after the other, so that any 16 neighbours show every trap.
NAMES = (
    'Prediction model for pet food purchase interest {}',
    '반려동물 사료 구매 관심 예측 {}',
    '購買意欲モデル・テスト {}',
    'Shopping 🛒 with 👨‍👩‍👧 and 🇰🇷 {}',
    'He said "buy" {}',
    'two\nlines {}',
    'a tab\there {}',
    'back\\slash \\u0041 \\n {}',
    "O'Reilly'; DROP TABLE tasks; -- {}",
    '  spaces around {}  ',
    '<b>&amp;</b> {}',
    None,                                           # 100 characters
    'NULL {}',
    '{{"json": [1, 2]}} {}',
    'e\u0301 composed of two, \u00e9 of one {}',
    '%s %d $1 :name {}',
)

FAIL_MESSAGES = (
    '입력 파일을 찾을 수 없습니다: "s3://your.bucket.name/데이터.tsv"',
    'line 12:\tunexpected end of file\n(expected 3 columns)',
    'Endpoint "train" failed; code=\\x00',
)


class Facts:
    """What is drawn for one object: numbers from a digest of its name."""

    def __init__(self, resource: str, number: int) -> None:
        self.number = number
        self.digest = hashlib.blake2b(f'{resource}/{number}'.encode(),
                                      digest_size=32).digest()

    def below(self, limit: int, slot: int = 0) -> int:
        """A number from 0 to limit - 1; slots 0-6 are independent."""
        start = 4 + 4 * slot
        return int.from_bytes(self.digest[start:start + 4], 'big') % limit

    @property
    def status(self) -> str:
        last = self.number % 10
        return {6: 'failed', 7: 'in_progress', 8: 'pending',
                9: 'registered'}.get(last, 'completed')

    @property
    def completed(self) -> bool:
        return self.status == 'completed'

    @property
    def created_at(self) -> datetime:
        # every 25th object was created in the same second as the one before
        number = self.number - (self.number % 25 == 24)
        return FIRST_CREATED + timedelta(
            seconds=7200 * number + number * 7919 % 7000)

    @property
    def completed_at(self) -> datetime | None:
        if self.status not in ('completed', 'failed'):
            return None
        return self.created_at + timedelta(seconds=60 + self.below(7200, 1))

    @property
    def fail_message(self) -> str | None:
        if self.status != 'failed':
            return None
        return FAIL_MESSAGES[self.number // 10 % len(FAIL_MESSAGES)]

    @property
    def auroc(self) -> float | None:
        if not self.completed:
            return None
        edges = {11: 1.0, 12: 0.0, 13: 0.30000000000000004, 14: 1e-07,
                 15: 0.8999999999999999}
        return edges.get(self.number % 50, (5000 + self.below(5000, 2)) / 1e4)

    def count(self, slot: int) -> int | None:
        """A line, user or token count."""
        if not self.completed:
            return None
        edges = {13: BIGGEST, 14: 0, 15: 2 ** 53 + 1}
        return edges.get(self.number % 50, self.below(3_000_000, slot))

    def usage(self) -> int | None:
        """A size in bytes."""
        if not self.completed:
            return None
        edges = {21: BIGGEST - 1, 22: 1}
        return edges.get(self.number % 50, self.below(2 ** 32, 5) * 37)

    def name(self) -> str:
        pattern = NAMES[self.number % len(NAMES)]
        if pattern is None:
            return f'{self.number} '.ljust(100, '가')
        return pattern.format(self.number)

    def other(self, slot: int) -> int:
        """The number of an older object of another list, or its equal."""
        return 1 + self.below(min(self.number, 60), slot)


def object_id(resource: str, number: int) -> str:
    """An id of the form of a version 4 UUID."""
    text = hashlib.blake2b(f'id/{resource}/{number}'.encode(),
                           digest_size=16).hexdigest()
    variant = '89ab'[int(text[16], 16) % 4]
    return (f'{text[:8]}-{text[8:12]}-4{text[13:16]}-'
            f'{variant}{text[17:20]}-{text[20:]}')


def reference(kind: str, resource: str, number: int,
              prefix: str = '') -> dict[str, Any]:
    """The id and name of an object of another list."""
    return {f'{prefix}{kind}_id': object_id(resource, number),
            f'{prefix}{kind}_name': Facts(resource, number).name()}


def task(facts: Facts) -> dict[str, Any]:
    values = {'train_feature_id': None, 'train_feature_name': None,
              'train_bucket': 'your.bucket.name',
              'train_file_path': f'task_dataset/학습 {facts.number}.tsv',
              'test_feature_id': None, 'test_feature_name': None,
              'test_bucket': None, 'test_file_path': None}
    values |= reference('feature', 'features', facts.other(3), 'train_')
    if facts.number % 3 == 0:
        values |= reference('feature', 'features', facts.other(4), 'test_')
        values |= {'test_bucket': 'your.test.bucket',
                   'test_file_path': f'task_dataset/{facts.number}_test.tsv'}
    return values | {'AUROC': facts.auroc, 'line_count': facts.count(3),
                     'disk_usage': facts.usage()}


def feature(facts: Facts) -> dict[str, Any]:
    return {'source_bucket': 'your.bucket.name',
            'source_file_path': f'feature/원본_{facts.number}.tsv',
            'user_count': facts.count(3), 'token_count': facts.count(4),
            'disk_usage': facts.usage()}


def task_run(facts: Facts) -> dict[str, Any]:
    return (reference('task', 'tasks', facts.other(3))
            | reference('feature', 'features', facts.other(4))
            | {'result_bucket': 'your.bucket.name',
               'result_file_path': f'result/{facts.number}.tsv',
               'line_count': facts.count(5)})


def shopping_intent(facts: Facts) -> dict[str, Any]:
    return (reference('task', 'tasks', facts.other(3))
            | {'line_count': facts.count(4), 'disk_usage': facts.usage()})


def custom_attribute(facts: Facts) -> dict[str, Any]:
    words = ('사료', '간식', 'ペット', 'toy', '고양이 모래')
    keywords = words[:1 + facts.below(len(words), 5)]
    return (reference('feature', 'features', facts.other(3))
            | {'keyword_set': ','.join(keywords),
               'result_bucket': 'your.bucket.name',
               'result_file_path': f'profile/{facts.number}.tsv',
               'line_count': facts.count(4)})


class Resource(NamedTuple):
    """A list: how it is addressed and what its objects have."""
    name: str
    path: str
    array_key: str
    id_key: str
    name_key: str
    own: tuple[tuple[str, str], ...]        # fields between times and failure
    build: Callable[[Facts], dict[str, Any]]

    @property
    def fields(self) -> dict[str, str]:
        """Key and kind of every field, in the order of the document."""
        return dict((
            (self.id_key, TEXT), (self.name_key, TEXT), ('status', TEXT),
            ('created_at', TIME), ('completed_at', TIME), *self.own,
            ('fail_message', TEXT)))

    def make(self, number: int) -> dict[str, Any]:
        """The values of an object, all fields present."""
        facts = Facts(self.name, number)
        values = {self.id_key: object_id(self.name, number),
                  self.name_key: facts.name(), 'status': facts.status,
                  'created_at': facts.created_at,
                  'completed_at': facts.completed_at,
                  'fail_message': facts.fail_message} | self.build(facts)
        return {key: values[key] for key in self.fields}


def fields(words: str, kind: str = TEXT) -> tuple[tuple[str, str], ...]:
    return tuple((word, kind) for word in words.split())


RESOURCES = {resource.name: resource for resource in (
    Resource('tasks', '/tasks', 'tasks', 'task_id', 'task_name',
             fields('train_feature_id train_feature_name train_bucket '
                    'train_file_path test_feature_id test_feature_name '
                    'test_bucket test_file_path')
             + fields('AUROC', REAL)
             + fields('line_count disk_usage', INTEGER), task),
    Resource('features', '/features', 'features', 'feature_id',
             'feature_name', fields('source_bucket source_file_path')
             + fields('user_count token_count disk_usage', INTEGER), feature),
    Resource('task-runs', '/task-runs', 'runs', 'run_id', 'run_name',
             fields('task_id task_name feature_id feature_name '
                    'result_bucket result_file_path')
             + fields('line_count', INTEGER), task_run),
    Resource('shopping-intents', '/profile/shopping-intents', 'profiles',
             'profile_id', 'profile_name', fields('task_id task_name')
             + fields('line_count disk_usage', INTEGER), shopping_intent),
    Resource('custom-attributes', '/profile/custom-attributes', 'profiles',
             'profile_id', 'profile_name',
             fields('feature_id feature_name keyword_set result_bucket '
                    'result_file_path')
             + fields('line_count', INTEGER), custom_attribute),
)}
