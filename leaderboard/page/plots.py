"""Small line charts as coordinates for an SVG, drawn without a browser and without Vega: 0.3 ms each.

>>> drawn(Plot("Solved", "of the dialogues", [Line("rollouts", [(1, 0.4), (2, 0.5)])]))

A training's page is written again while it trains, so its charts must cost nothing. The template draws them, and
colours are classes of its style sheet, so that one drawing is right on a light and on a dark page.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import fmean

WIDTH, HEIGHT = 440, 220
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 10, 34  # margins
MOST_POINTS = 400  # of a line; of more, means of neighbours are drawn
MOST_DOTS = 30  # points of a line that are marked
MOST_LISTED = 12  # rows of the numbers below a chart
COLOURS = 8
_LARGEST = 1e15  # what is larger is no measure of anything here
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_PLAIN = 10_000  # from here on, thousands are k

Point = tuple[float, float | None]
Scale = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Line:
    """Values by x, None where there is none; ``reach`` has the ends of an interval for some x; ``colour`` a class."""

    name: str
    points: Sequence[Point]
    colour: str = ""
    reach: Sequence[tuple[float, float, float]] = ()
    is_marked: bool = False


@dataclass(frozen=True, slots=True)
class Plot:
    """A chart: ``unit`` is ``share`` (0 to 1, shown in percent) or ``number``; ``top`` the least end of its axis."""

    title: str
    about: str
    lines: Sequence[Line]
    unit: str = "number"
    top: float | None = None
    x_name: str = "iteration"


@dataclass(frozen=True, slots=True)
class DrawnLine:
    """A line as coordinates: its path, its marks (x, y) and its whiskers (x, upper y, lower y)."""

    name: str
    colour: str
    path: str
    marks: Sequence[tuple[str, str]]
    whiskers: Sequence[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class DrawnPlot:
    """A chart as the template draws it; ``label`` says it in words, ``headers`` and ``rows`` in numbers."""

    title: str
    about: str
    label: str
    lines: Sequence[DrawnLine]
    x_ticks: Sequence[tuple[str, str]]
    y_ticks: Sequence[tuple[str, str]]
    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    x_name: str
    note: str = ""
    box: tuple[int, int, int, int] = field(default=(LEFT, TOP, WIDTH - RIGHT, HEIGHT - BOTTOM))


def drawn(plot: Plot) -> DrawnPlot | None:
    """Return the chart's coordinates, None where none of its lines has a point."""
    lines = [kept for line in plot.lines if (kept := _known(line)).points]
    if not lines:
        return None
    x_end = max(x for line in lines for x, _ in line.points)
    x_start = min(min(x for line in lines for x, _ in line.points), x_end - 1)
    thinned = [thin(line.points) for line in lines]
    values = [value for points in thinned for _, value in points if value is not None]
    values += [end for line in lines for _, lower, upper in line.reach for end in (lower, upper)]
    y_ticks = _ticks(*_ends(plot, values))
    x = _scale(x_start, x_end, LEFT, WIDTH - RIGHT)
    y = _scale(y_ticks[0], y_ticks[-1], HEIGHT - BOTTOM, TOP)
    marked = [line.is_marked or len(points) <= MOST_DOTS for line, points in zip(lines, thinned, strict=True)]
    width = max(math.ceil(len(line.points) / MOST_POINTS) for line in lines)
    return DrawnPlot(
        title=plot.title,
        about=plot.about,
        label=f"{plot.title}: {'; '.join(_words(line, plot.unit) for line in lines)}",
        lines=[
            DrawnLine(
                line.name,
                line.colour or f"c{number % COLOURS}",
                _path(points, x, y),
                [(x(at), y(value)) for at, value in points if value is not None] if is_marked else [],
                [(x(at), y(upper), y(lower)) for at, lower, upper in line.reach],
            )
            for number, (line, points, is_marked) in enumerate(zip(lines, thinned, marked, strict=True))
        ],
        x_ticks=[(x(at), f"{at:,.0f}") for at in _ticks(x_start, x_end, whole=True) if x_start <= at <= x_end],
        y_ticks=[(y(at), _tick(at, plot.unit)) for at in y_ticks],
        headers=(plot.x_name, *(line.name for line in lines)),
        rows=list(_listed(lines, plot.unit)),
        x_name=plot.x_name,
        note=f"Each point is the mean of {width} iterations." if width > 1 else "",
    )


def thin(points: Sequence[Point]) -> list[Point]:
    """Return at most MOST_POINTS points: means of so many neighbours each, the last of as many as are left."""
    width = math.ceil(len(points) / MOST_POINTS)
    if width <= 1:
        return list(points)
    groups = [points[start : start + width] for start in range(0, len(points), width)]
    return [(fmean(x for x, _ in group), _mean(group)) for group in groups]


def in_words(value: float | None, unit: str) -> str:
    """Return a number as the page writes it: ``58.2 %``, ``0.0123``, ``12.5k``; a dash where there is none."""
    if value is None or not _is_known(value):
        return "\u2013"
    if unit == "share":
        return _percent(100 * value)
    if abs(value) >= _PLAIN:
        power = 3 * min(4, int(math.log10(abs(value)) // 3))
        return f"{value / 10**power:.3g}{['', 'k', 'M', 'G', 'T'][power // 3]}"
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _tick(value: float, unit: str) -> str:
    """Return the number at a line of the grid, whole: 0.25 % is not 0.2 %."""
    return f"{100 * value:.4g}\u00a0%" if unit == "share" else in_words(value, unit)


def _percent(value: float) -> str:
    digits = f"{value:.1f}" if abs(value) >= 0.1 or not value else f"{value:.1g}"
    return f"{digits.removesuffix('.0')}\u00a0%"


def _is_known(value: float) -> bool:
    return math.isfinite(value) and abs(value) <= _LARGEST


def _known(line: Line) -> Line:
    """Return the line with what is no number taken as no value, and without points that have none at its ends."""
    points = [(x, value if value is not None and _is_known(value) else None) for x, value in line.points]
    there = [number for number, (_, value) in enumerate(points) if value is not None]
    points = points[there[0] : there[-1] + 1] if there else []
    reach = [ends for ends in line.reach if all(map(_is_known, ends))]
    return Line(line.name, points, line.colour, reach, line.is_marked)


def _mean(group: Sequence[Point]) -> float | None:
    values = [value for _, value in group if value is not None]
    return fmean(values) if values else None


def _ends(plot: Plot, values: Sequence[float]) -> tuple[float, float]:
    """Return the ends of the axis of these values, 0 among them."""
    lowest, highest = min(0.0, *values), max(0.0, *values)
    if plot.top is not None:
        highest = max(highest, plot.top)
    if plot.unit == "share":
        highest = min(max(highest, 0.01), 1.0)
        lowest = max(lowest, 0.0)
    return lowest, highest if highest > lowest else lowest + 1.0


def _ticks(start: float, end: float, *, whole: bool = False) -> list[float]:
    """Return 3 to 6 round numbers from at or below ``start`` to at or above ``end``."""
    rough = (end - start) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(step * power for step in _STEPS if step * power >= rough * 0.999)
    step = max(1.0, round(step)) if whole else step
    first, last = math.floor(start / step + 1e-9), math.ceil(end / step - 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def _scale(start: float, end: float, first: float, last: float) -> Scale:
    """Return what makes a coordinate between ``first`` and ``last`` of a value between ``start`` and ``end``."""
    rate = (last - first) / (end - start)
    return lambda value: f"{first + (value - start) * rate:.1f}"


def _path(points: Sequence[Point], x: Scale, y: Scale) -> str:
    """Return the line as SVG has it, interrupted where there is no value."""
    steps = []
    before: float | None = None
    for at, value in points:
        if value is not None:
            steps.append(f"{'M' if before is None else 'L'}{x(at)} {y(value)}")
        before = value
    return "".join(steps)


def _words(line: Line, unit: str) -> str:
    """Return where a line begins and ends."""
    (first, start), (last, end) = line.points[0], line.points[-1]
    if first == last:
        return f"{line.name} {in_words(end, unit)} at {first:g}"
    return f"{line.name} from {in_words(start, unit)} at {first:g} to {in_words(end, unit)} at {last:g}"


def _listed(lines: Sequence[Line], unit: str) -> Iterator[tuple[str, ...]]:
    """Yield the values at some x, evenly spread, of which the first and the last are some."""
    values = [dict(line.points) for line in lines]
    places = sorted({x for line in values for x in line})
    chosen: Sequence[int] = range(len(places))
    if len(places) > MOST_LISTED:
        chosen = [round(number * (len(places) - 1) / (MOST_LISTED - 1)) for number in range(MOST_LISTED)]
    for number in chosen:
        x = places[number]
        yield (f"{x:,.0f}", *(in_words(line.get(x), unit) for line in values))
