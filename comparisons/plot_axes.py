"""Ticks of logarithmic axes: enough labels to read a value, whatever the range, and never so many that they collide."""

import re
from collections.abc import Iterable, Iterator

import numpy as np
from matplotlib.axis import Axis, XAxis, YAxis
from matplotlib.ticker import Formatter, LogLocator, MaxNLocator, NullFormatter

ENOUGH, MOST = 3, 6
STRIDES = (1, 2, 3, 5, 10, 20, 30, 50, 100, 200)
MANTISSAS = ((1, 3), (1, 2, 5), (1, 2, 4, 6, 8), (1, 3, 5, 7, 9))
NARROWEST = 1 + 1e-4
PLAIN = (1e-3, 1e4)
ROUNDING = 1e-9


def log_ticks(axis: Axis) -> None:
    """Give a logarithmic axis, such as `panel.yaxis`, its ticks; an axis with another scale stays as it is.

    Three labels at least and six at most, fewer where the axis is short: powers of ten, every second or third of them
    where there are many; over less than two decades 1 and 3, or 1, 2 and 5, times those; over a small part of a decade
    round numbers at equal distances; limits that agree to 1e-4 are widened. Ticks between have no labels. Call it
    when the scale is set and the data are there; limits may change later.
    """
    if axis.get_scale() != "log":
        return
    axis.set_major_locator(_Labelled())
    axis.set_major_formatter(_Numbers())
    axis.set_minor_locator(_Between())
    axis.set_minor_formatter(NullFormatter())
    # Limits that matplotlib chose it chooses again.
    axis.axes.autoscale_view(scalex=isinstance(axis, XAxis), scaley=isinstance(axis, YAxis))


class _Labelled(LogLocator):
    """The ticks with labels: the first choice with enough of them and room for them, else the one with most."""

    def tick_values(self, vmin: float, vmax: float) -> np.ndarray:
        low, high = sorted((vmin, vmax))
        best = _roundest(low, high)
        for ticks in _choices(low, high):
            if self._fit(ticks, low, high):
                if len(ticks) >= ENOUGH:
                    return ticks
                best = max(best, ticks, key=_spread)
        return best

    def nonsingular(self, vmin: float, vmax: float) -> tuple[float, float]:
        low, high = super().nonsingular(vmin, vmax)
        # Values that are equal but for rounding are a level line, no slope from corner to corner.
        return (low, high) if high > NARROWEST * low else (low / 1.2, high * 1.2)

    def _fit(self, ticks: np.ndarray, low: float, high: float) -> bool:
        if len(ticks) < 2 or len(ticks) > MOST or self.axis is None:
            return len(ticks) <= MOST
        room = self.axis.get_tick_space()
        if isinstance(self.axis, XAxis):
            # Matplotlib counts with labels of three font sizes, which are five digits.
            room *= 5 / max(5, *(len(_plain(label)) for label in _Numbers().format_ticks(ticks)))
        return bool(np.diff(np.log(ticks)).min() * room >= 0.9 * (np.log(high) - np.log(low)))


def _spread(ticks: np.ndarray) -> tuple[int, float]:
    return len(ticks), float(ticks[-1] / ticks[0]) if len(ticks) else 0.0


def _choices(low: float, high: float) -> Iterator[np.ndarray]:
    """Ticks between the limits, from sparse to dense."""
    powers = _visible(low, high, (1,))
    for stride in STRIDES:
        # Multiples of the stride, so that labels do not change places when the limits move a little.
        yield powers[np.round(np.log10(powers)).astype(int) % stride == 0]
    for mantissas in MANTISSAS:
        yield _visible(low, high, mantissas)
    for bins in range(2, 8):
        ticks = np.asarray(MaxNLocator(bins, steps=[1, 2, 5, 10]).tick_values(low, high))
        yield ticks[(ticks >= low) & (ticks <= high)]


class _Between(LogLocator):
    """The ticks without: nine to a decade, one where there are many, none where these would be a blur."""

    def tick_values(self, vmin: float, vmax: float) -> np.ndarray:
        low, high = sorted((vmin, vmax))
        decades = np.log10(high) - np.log10(low)
        return _visible(low, high, range(1, 10) if decades < 10 else (1,) if decades < 60 else ())


class _Numbers(Formatter):
    """10^n where all are powers of ten; else plain numbers where all are short, m x 10^n where one is not."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        del pos
        return self.format_ticks([x])[0]

    def format_ticks(self, values: Iterable[float]) -> list[str]:
        ticks = np.asarray(list(values))
        if _short(ticks) and (len(ticks) == 1 or not _powers(ticks)):
            return [f"{tick:.8g}" for tick in ticks]
        exponents = np.floor(np.log10(ticks) + ROUNDING).astype(int)
        shown = [f"10^{{{exponent}}}" for exponent in exponents]
        if not _powers(ticks):
            mantissas = ticks / 10.0**exponents
            shown = [rf"{mantissa:.8g} \times {power}" for mantissa, power in zip(mantissas, shown, strict=True)]
        return [f"${number}$" for number in shown]


def _plain(label: str) -> str:
    """As many characters as it is wide."""
    return re.sub(r"[${}^ ]", "", label.replace(r"\times", "xxx"))


def _powers(ticks: np.ndarray) -> bool:
    exponents = np.log10(ticks)
    return bool(np.all(np.abs(exponents - np.round(exponents)) < ROUNDING))


def _short(ticks: np.ndarray) -> bool:
    return bool(np.all((ticks >= PLAIN[0]) & (ticks < PLAIN[1])))


def _roundest(low: float, high: float) -> np.ndarray:
    """The number between both that has the fewest digits."""
    middle = (low + high) / 2
    tried = (float(f"{middle:.{digits}g}") for digits in range(1, 17))
    return np.array([next((number for number in tried if low <= number <= high), middle)])


def _visible(low: float, high: float, mantissas: Iterable[int]) -> np.ndarray:
    """Those times powers of ten, between the limits; none beyond what a float holds."""
    exponents = np.arange(max(-307, np.floor(np.log10(low))), min(307, np.floor(np.log10(high))) + 1)
    ticks = np.outer(10.0**exponents, list(mantissas)).ravel()
    return ticks[(ticks >= low * (1 - ROUNDING)) & (ticks <= high * (1 + ROUNDING))]
