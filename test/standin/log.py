"""What was asked, and when it came."""

import json
import threading
from dataclasses import dataclass
from typing import TextIO


@dataclass
class Record:
    number: int
    arrival: float              # seconds of CLOCK_MONOTONIC
    connection: int
    method: str
    target: str
    status: int = 0             # 0: none was sent
    answered: int = 0           # as which of all; 0: not yet
    cookie: str = ''            # what the client sent as one

    def line(self) -> str:
        return f'{self.method} {self.target}'

    def full_line(self) -> str:
        return (f'{self.number} {self.arrival:.6f} {self.connection} '
                f'{self.status} {self.line()}')

    def as_json(self) -> str:
        return json.dumps({
            'number': self.number, 'arrival': round(self.arrival, 6),
            'connection': self.connection, 'method': self.method,
            'target': self.target, 'status': self.status,
            'answered': self.answered, 'cookie': self.cookie},
            ensure_ascii=False)


class Log:
    """All requests; each way of reading remembers what it has shown."""

    def __init__(self, file: TextIO | None = None) -> None:
        self.file = file
        self.arrived = threading.Condition()
        self.reset()

    def reset(self) -> None:
        self.records: list[Record] = []
        self.shown = {'requests': 0, 'arrivals': 0}

    def add(self, arrival: float, connection: int, method: str,
            target: str, cookie: str) -> Record:
        record = Record(len(self.records) + 1, arrival, connection, method,
                        target, cookie=cookie)
        with self.arrived:
            self.records.append(record)
            self.arrived.notify_all()
        return record

    def finish(self, record: Record, status: int) -> None:
        """Notes the status, and the whole line in the file."""
        record.status = status
        if self.file is not None:
            self.file.write(record.full_line() + '\n')
            self.file.flush()

    def read(self, way: str, everything: bool) -> list[Record]:
        start = 0 if everything else self.shown[way]
        self.shown[way] = len(self.records)
        return self.records[start:]

    def wait(self, count: int, seconds: float) -> bool:
        """Waits until so many requests came that "requests" has not shown."""
        with self.arrived:
            return self.arrived.wait_for(
                lambda: len(self.records) - self.shown['requests'] >= count,
                seconds)
