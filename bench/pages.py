"""Pre-made pages: the stand-in's data as files that nginx gives away.

A list of N tasks is a directory; its files are named after the request's
index and limit ("99-100"), those of single objects after their ids.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / 'test'
                       / 'standin'))

from data import RESOURCES              # noqa: E402
from settings import Settings           # noqa: E402
from store import Store                 # noqa: E402

PAGE = 100
LOOKUPS = 20                            # objects that can be asked for by id


class List:
    """A list of so many tasks, newest first."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.store = Store(Settings(), length)
        self.entries = self.store.listing('tasks').entries
        self.ids = [entry.id for entry in
                    self.entries[length // LOOKUPS // 2::length // LOOKUPS]]

    def failed(self) -> int:
        return sum(entry.values['status'] == 'failed'
                   for entry in self.entries)

    def page(self, index: int, limit: int) -> bytes:
        texts = [self.store.written(entry)
                 for entry in self.entries[index:index + limit]]
        head = (f'{{"index":{index},"limit":{limit},"total":{self.length},'
                f'"{RESOURCES["tasks"].array_key}":[')
        return head.encode() + b','.join(texts) + b']}'

    def requests(self) -> set[tuple[int, int]]:
        """Index and limit of all that anybody asks for: whole pages, with
        one row of overlap or none, and what LIMIT, OFFSET and count take."""
        asked = {(index, PAGE) for step in (PAGE, PAGE - 1)
                 for index in range(0, self.length + step, step)}
        return asked | {(0, 1), (0, 2), (0, 5), (5000, 10)}

    def write(self, directory: Path) -> None:
        (directory / 'tasks').mkdir(parents=True)
        for index, limit in self.requests():
            (directory / 'tasks' / f'{index}-{limit}').write_bytes(
                self.page(index, limit))
        by_id = self.store.listing('tasks').by_id
        for each in self.ids:
            (directory / 'tasks' / each).write_bytes(
                self.store.written(by_id[each]))
