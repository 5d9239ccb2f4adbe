"""The lists as they are now, and how an object is written."""

import json
import random
from datetime import datetime, timedelta
from typing import Any

from data import INTEGER, REAL, RESOURCES, TEXT, TIME, Resource, object_id
from settings import Refused, Settings


class Raw(str):
    """JSON text that is written as it is, valid or not."""


def raw(text: str) -> Raw:
    """What a command gives for a value: JSON, or else a string."""
    try:
        json.loads(text)
    except ValueError:
        return Raw(json.dumps(text, ensure_ascii=False))
    except RecursionError:
        pass
    return Raw(text)


class Entry:
    """An object of a list; its values are made when first wanted."""

    __slots__ = ('resource', 'number', 'id', 'changed', 'own', 'text',
                 'style')

    def __init__(self, resource: Resource, number: int) -> None:
        self.resource = resource
        self.number = number
        self.id = object_id(resource.name, number)
        self.changed = number               # larger: later
        self.own: dict[str, Any] | None = None
        self.text = b''
        self.style = -1                     # of the settings, for text

    @property
    def values(self) -> dict[str, Any]:
        if self.own is None:
            self.own = self.resource.make(self.number)
        return self.own

    @property
    def name(self) -> str:
        name = self.values.get(self.resource.name_key)
        return str(json.loads(name) if isinstance(name, Raw) else name)


def write_time(value: datetime, number: int, settings: Settings) -> str:
    digits = f'{number * 123456791 % 10 ** 9:09d}'[:settings.fraction]
    fraction = f'.{digits}' if digits else ''
    if settings.times == 'Z':
        value -= timedelta(hours=9)
    offset = '' if settings.times == 'none' else settings.times
    return value.isoformat() + fraction + offset


def write_nothing(kind: str, settings: Settings) -> Any:
    """A field without a value."""
    number = kind == INTEGER or (kind == REAL and settings.auroc != 'string')
    if number and settings.nulls in ('zero', 'blank'):
        return 0
    if not number and settings.nulls in ('empty', 'blank'):
        return ''
    return None


def write_value(key: str, kind: str | None, value: Any, number: int,
                settings: Settings) -> Any:
    """A value as it goes into JSON."""
    if value is None:
        return write_nothing(kind or TEXT, settings)
    if kind == TIME:
        return write_time(value, number, settings)
    if kind == REAL:
        if settings.auroc == 'null':
            return None
        return repr(value) if settings.auroc == 'string' else value
    if key == 'status' and value == 'completed':
        return settings.status_word
    return value


def member(key: str, value: Any, ascii_only: bool = False) -> str:
    """A key and its value in JSON."""
    text = value if isinstance(value, Raw) else json.dumps(
        value, ensure_ascii=ascii_only)
    return f'{json.dumps(key, ensure_ascii=ascii_only)}:{text}'


def to_bytes(text: str) -> bytes:
    """UTF-8; what stands for a broken byte becomes that byte."""
    return text.encode('utf-8', 'surrogateescape')


CASES = {'documented': str, 'lower': str.lower, 'upper': str.upper}

EXTRA = {'model_type': 'NCLUE', 'tags': ['새로운', {'nested': [None, 1.5]}]}


def write(entry: Entry, settings: Settings,
          overrides: dict[str, Raw | None] | None = None) -> bytes:
    """An object in JSON; overrides: JSON by key, None leaves the key out."""
    members = []
    kinds = entry.resource.fields
    case = CASES[settings.keys]
    values = entry.values
    if overrides:
        values = values | overrides
    for key, value in values.items():
        if overrides and key in overrides:
            if value is None:
                continue
        elif not isinstance(value, Raw):
            if value is None and settings.nulls == 'absent':
                continue
            value = write_value(key, kinds.get(key), value, entry.number,
                                settings)
        members.append(member(case(key), value,
                              settings.escapes == 'ascii'))
    if settings.extra == 'on':
        members += [member(*item) for item in EXTRA.items()]
    return to_bytes('{' + ','.join(members) + '}')


class Listing:
    """One list: entries in the order in which they are served."""

    def __init__(self, resource: Resource, length: int, order: str) -> None:
        self.resource = resource
        self.entries = [Entry(resource, n) for n in range(1, length + 1)]
        self.by_id = {entry.id: entry for entry in self.entries}
        self.created = self.changes = length
        self.sort(order)

    def sort(self, order: str) -> None:
        if order == 'name':
            self.entries.sort(key=lambda entry: (entry.name, entry.id))
        elif order == 'changed':
            self.entries.sort(key=lambda entry: -entry.changed)
        else:
            self.entries.sort(key=lambda entry: entry.number,
                              reverse=order == 'newest')

    def place(self, entry: Entry, order: str) -> int:
        """Where a new entry belongs."""
        if order == 'oldest':
            return len(self.entries)
        if order == 'name':
            key = (entry.name, entry.id)
            return sum((other.name, other.id) < key
                       for other in self.entries)
        return 0

    def mark_changed(self, entry: Entry, order: str) -> None:
        self.changes += 1
        entry.changed = self.changes
        if order == 'changed':
            self.entries.remove(entry)
            self.entries.insert(0, entry)


class Store:
    """All lists, and the commands that change them."""

    def __init__(self, settings: Settings, length: int) -> None:
        self.settings = settings
        self.default_length = length
        self.reset()

    def reset(self) -> None:
        self.lengths = dict.fromkeys(RESOURCES, self.default_length)
        self.listings: dict[str, Listing] = {}
        self.seed(1)

    def seed(self, seed: int) -> None:
        self.random = random.Random(seed)

    def set_length(self, length: int, name: str | None = None) -> None:
        """Makes one list, or all, anew."""
        if length < 0:
            raise Refused('a list has 0 objects or more')
        for each in RESOURCES if name is None else (self.resource(name).name,):
            self.lengths[each] = length
            self.listings.pop(each, None)

    def resource(self, name: str) -> Resource:
        if name not in RESOURCES:
            raise Refused(f'no list "{name}"; there are: '
                          + ', '.join(RESOURCES))
        return RESOURCES[name]

    def listing(self, name: str) -> Listing:
        """A list, made when first wanted."""
        if name not in self.listings:
            self.listings[name] = Listing(
                self.resource(name), self.lengths[name], self.settings.order)
        return self.listings[name]

    def sort(self) -> None:
        for listing in self.listings.values():
            listing.sort(self.settings.order)

    def written(self, entry: Entry) -> bytes:
        """An object in JSON, kept until the style changes."""
        if entry.style != self.settings.style:
            entry.text = write(entry, self.settings)
            entry.style = self.settings.style
        return entry.text

    # commands

    def position(self, text: str, length: int) -> int:
        """A position in a list of that length: "3", "-1" or "random"."""
        if text == 'random':
            return self.random.randrange(max(length, 1))
        try:
            position = int(text)
        except ValueError:
            raise Refused(f'"{text}" is no position') from None
        if position < 0:
            position += length
        return min(max(position, 0), length)

    def find(self, listing: Listing, who: str) -> Entry | None:
        """The object of an id, position=... or number=..., if there is."""
        if who.startswith('position='):
            if not listing.entries:
                return None
            position = self.position(who.removeprefix('position='),
                                     len(listing.entries))
            return listing.entries[min(position, len(listing.entries) - 1)]
        if who.startswith('number='):
            number = who.removeprefix('number=')
            return next((entry for entry in listing.entries
                         if str(entry.number) == number), None)
        return listing.by_id.get(who)

    def insert(self, name: str, place: str | None,
               values: dict[str, str]) -> Entry:
        listing = self.listing(name)
        listing.created += 1
        listing.changes += 1
        entry = Entry(listing.resource, listing.created)
        entry.changed = listing.changes
        entry.id = values.pop('id', entry.id)
        if entry.id in listing.by_id:
            raise Refused(f'{entry.id} exists')
        entry.values[listing.resource.id_key] = entry.id
        self.assign(entry, values)
        at = (listing.place(entry, self.settings.order) if place is None
              else self.position(place, len(listing.entries) + 1))
        listing.entries.insert(at, entry)
        listing.by_id[entry.id] = entry
        return entry

    def delete(self, name: str, entry: Entry) -> None:
        listing = self.listing(name)
        listing.entries.remove(entry)
        del listing.by_id[entry.id]

    def touch(self, name: str, entry: Entry) -> None:
        self.listing(name).mark_changed(entry, self.settings.order)

    def assign(self, entry: Entry, values: dict[str, str]) -> None:
        for key, text in values.items():
            entry.values[key] = raw(text)
        entry.style = -1

    def update(self, name: str, entry: Entry, values: dict[str, str]) -> None:
        self.assign(entry, values)
        self.touch(name, entry)

    def remove_fields(self, name: str, entry: Entry, keys: list[str]) -> None:
        for key in keys:
            entry.values.pop(key, None)
        entry.style = -1
        self.touch(name, entry)
