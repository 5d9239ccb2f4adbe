"""The chart: how long a full scan takes, a panel for each way to the server."""

from html import escape
from typing import Any

WIDTH, LABEL, BAR, GAP, HEAD = 860, 250, 17, 5, 34
COLOURS = {'nclue_fdw': '#2563a8', 'libcurl': '#9aa3ad',
           'libcurl + jansson': '#6b7580'}
PEER = '#d08a3c'
PANELS = (('near', 'HTTP/1.1'), ('near', 'HTTP/2, TLS'),
          ('far', 'HTTP/1.1, 20 ms'), ('far', 'HTTP/1.1, 100 ms'))
STYLE = ('text{font:12px sans-serif;fill:#222}.head{font-weight:bold}'
         '.note{fill:#666}')


def text(x: float, y: float, words: str, kind: str = '',
         anchor: str = 'start') -> str:
    return (f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}"'
            + (f' class="{kind}"' if kind else '')
            + f'>{escape(words)}</text>')


def panel(bars: list[tuple[str, float]], title: str, top: int) -> list[str]:
    """Bars from 0 on, one below the other."""
    longest = max(seconds for _, seconds in bars)
    room = WIDTH - LABEL - 90
    out = [text(10, top + 20, title, 'head')]
    y = top + HEAD
    for subject, seconds in bars:
        colour = COLOURS.get(subject.split(',')[0], PEER)
        width = max(seconds / longest * room, 1)
        out += [text(LABEL - 8, y + 13, subject, anchor='end'),
                f'<rect x="{LABEL}" y="{y}" width="{width:.1f}" '
                f'height="{BAR}" fill="{colour}"/>',
                text(LABEL + width + 6, y + 13, f'{seconds * 1000:,.0f} ms')]
        y += BAR + GAP
    return out


def draw(numbers: Any) -> str:
    out, top = [], 10
    for group, place in PANELS:
        found = numbers.subjects(group, place, 'full scan of 10,000')
        if not found:
            continue
        bars = [(subject, row.seconds) for subject, row in found]
        title = f'10,000 tasks, {place}'
        if group == 'near':
            title += ', no latency'
        out += panel(bars, title, top)
        top += HEAD + len(bars) * (BAR + GAP) + 10
    out.append(text(10, top + 14, 'Medians of one run, warm; shorter is '
                    'better. Each panel has its own scale.', 'note'))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
            f'height="{top + 26}" viewBox="0 0 {WIDTH} {top + 26}">\n'
            f'<style>{STYLE}</style>\n'
            f'<rect width="{WIDTH}" height="{top + 26}" fill="#fff"/>\n'
            + '\n'.join(out) + '\n</svg>\n')
