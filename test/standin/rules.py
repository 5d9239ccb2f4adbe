"""Which requests a fault or a change of the list is for."""

from settings import Refused

SELECTORS = ('next', 'every', 'request', 'match', 'always')


class Selector:
    """next=N, every=K, request=N or +N, match=TEXT, always; combined.

    match narrows what the others count.  Without any of the others, the next
    request.
    """

    def __init__(self, words: list[str], last_number: int) -> None:
        given: dict[str, str] = {}
        for word in words:
            name, _, value = word.partition('=')
            given[name] = value
        self.match = given.pop('match', '')
        if len(given) > 1:
            raise Refused('one of next, every, request and always')
        self.kind, text = given.popitem() if given else ('next', '1')
        self.seen = 0               # requests that match, so far
        self.over = False           # no request can be selected any more
        if self.kind == 'always':
            return
        if not text.removeprefix('+').isdigit():
            raise Refused(f'{self.kind}={text}: a number is wanted')
        self.n = int(text)
        if self.n < 1:
            raise Refused(f'{self.kind}={text}: 1 at least')
        if self.kind == 'request' and text.startswith('+'):
            if self.match:
                self.kind = 'nth'   # of those that match
            else:
                self.n += last_number

    @staticmethod
    def is_selector(word: str) -> bool:
        return word.partition('=')[0] in SELECTORS

    def selects(self, number: int, target: str) -> bool:
        """Whether a request is selected; asked once for each."""
        if self.over or self.match not in target:
            return False
        self.seen += 1
        if self.kind == 'always':
            return True
        if self.kind == 'every':
            return self.seen % self.n == 0
        if self.kind == 'next':
            self.over = self.seen >= self.n
            return True
        at = self.seen if self.kind == 'nth' else number
        self.over = at >= self.n
        return at == self.n

    def __str__(self) -> str:
        text = 'always' if self.kind == 'always' else f'{self.kind}={self.n}'
        return f'{text} match={self.match}' if self.match else text
