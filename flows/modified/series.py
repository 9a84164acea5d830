"""A modified equation to read: the series of a named method as a table, in LaTeX and as plain data."""

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

from rich.console import Group
from rich.table import Table
from rich.text import Text

from discrete.descent.tableaux import HEUN, KUTTA_3, KUTTA_4, MIDPOINT
from landscapes.named import unknown

from .coefficients import HIGHEST_ORDER, check_order, coefficients
from .display import (
    drawn,
    exact,
    exact_latex,
    in_f,
    in_f_latex,
    in_gradients,
    in_gradients_latex,
    nested_list,
    sign_for_gradients,
    with_sign,
)
from .gradient_structure import broken_ratio
from .scheme import Scheme, heavy_ball_scheme, look_ahead_scheme, nesterov_scheme, one_step_scheme, symbolic_momentum
from .trees import LEAF, Tree, order as nodes, symmetry

HIGHEST_SYMBOLIC_ORDER = 8
SYMBOLIC = "symbolic"
WITH_MOMENTUM: dict[str, Callable[[Any], Scheme]] = {
    "heavy-ball": heavy_ball_scheme,
    "nesterov": nesterov_scheme,
    "nesterov-look-ahead": look_ahead_scheme,
}
WITHOUT: dict[str, Callable[[], Scheme]] = {
    "gradient-descent": lambda: heavy_ball_scheme(Fraction(0)),
    "midpoint": lambda: one_step_scheme(MIDPOINT),
    "heun": lambda: one_step_scheme(HEUN),
    "kutta-3": lambda: one_step_scheme(KUTTA_3),
    "kutta-4": lambda: one_step_scheme(KUTTA_4),
}
REASONS = {
    "nesterov-convex": "its momentum varies with the step; su-boyd-candes models it, not a modified equation",
    "nesterov-strongly-convex": "its momentum depends on the learning rate; take nesterov with that momentum",
}


class Series(NamedTuple):
    """sum over trees of h^(order(tree) - 1) coefficients[tree] F(tree), of a named method."""

    method: str
    momentum: str
    order: int
    coefficients: dict[Tree, Any]

    def to_dict(self) -> dict[str, Any]:
        """{"method", "momentum", "order", "terms": [{"tree", "order", "symmetry", "coefficient"}, ...]}"""
        terms = [
            {"tree": nested_list(tree), "order": nodes(tree), "symmetry": symmetry(tree), "coefficient": exact(value)}
            for tree, value in self.coefficients.items()
        ]
        return {"method": self.method, "momentum": self.momentum, "order": self.order, "terms": terms}

    def to_table(self) -> Group:
        """Every term in f and, for f = -grad L, in derivatives of L, and what is known of a modified loss."""
        momentum = f", momentum {self.momentum}" if self.method in WITH_MOMENTUM else ""
        made = Table(title=f"{self.method}{momentum}: modified equation to order {self.order}", title_justify="left")
        for head in ("order", "differential", "coefficient", "f = -grad L", "coefficient"):
            made.add_column(head, no_wrap=head != "coefficient", overflow="fold")
        last = 0
        for tree, value in self.coefficients.items():
            if nodes(tree) > last and last:
                made.add_section()
            number = str(nodes(tree)) if nodes(tree) > last else ""
            last = nodes(tree)
            text = exact(value)
            signed = with_sign(text, sign_for_gradients(tree))
            made.add_row(number, in_f(tree), text, Text(in_gradients(tree)), signed)
        note = "x_n = X(n h),  dX/dt = sum of h^(order-1) coefficient x differential"
        if self.method in WITH_MOMENTUM:
            note += "  on the slow manifold"
        names = "g, H, T, L4, ...: derivatives of the loss L"
        return Group(made, Text(note), Text(names), *map(Text, self._structure()))

    def to_latex(self) -> str:
        """Both series as align* environments, and the trees as a table (needs amsmath and tikz)."""
        speed = r"\dot X &= "
        texts = {tree: exact_latex(value) for tree, value in self.coefficients.items()}
        by_f = _sum(texts, in_f_latex, sign=lambda _: 1)
        by_gradients = _sum(texts, in_gradients_latex, sign=sign_for_gradients)
        rows = "\n".join(
            rf"{drawn(tree)} & ${in_f_latex(tree)}$ & ${symmetry(tree)}$ & ${text}$ \\" for tree, text in texts.items()
        )
        return "\n".join(
            [
                f"% {self.method}, momentum {self.momentum}, order {self.order}; needs amsmath and tikz",
                rf"\begin{{align*}}{speed}{by_f}\end{{align*}}",
                r"% f = -g, g = \nabla L, H = \nabla^2 L",
                rf"\begin{{align*}}{speed}{by_gradients}\end{{align*}}",
                r"\begin{tabular}{cccc}",
                r"tree & differential & symmetry & coefficient \\ \hline",
                rows,
                r"\end{tabular}",
            ]
        )

    def _structure(self) -> list[str]:
        speed = exact(self.coefficients[LEAF])
        if self.order == 1:
            return [f"order 1 is gradient flow: X' = -{_factor(speed)}grad L"]
        penalty = -self.coefficients[(LEAF,)] / self.coefficients[LEAF] / 2
        lines = [f"to order 2 the field is -{_factor(speed)}grad(L + c h |grad L|^2), c = {exact(penalty)}"]
        for order in range(3, self.order + 1):
            if pair := broken_ratio(self.coefficients, order):
                lines.append(_no_loss(self.coefficients, order, pair))
        if len(lines) > 1:
            lines.append("on a quadratic loss these differentials vanish or are one: every order has a modified loss")
        return lines


def series(method: str, order: int, momentum: str | None = None) -> Series:
    """The series of a named method; momentum "9/10", "0.9" or "symbolic" (the default of momentum methods).

    Raises ValueError for an unknown method, one that has no modified equation, a momentum that is not in [0, 1) or that
    the method does not have, and an order above 12 (8 with a symbolic momentum).
    """
    if method in REASONS:
        raise ValueError(f"`method` {method} has no modified equation: {REASONS[method]}.")
    if method not in WITH_MOMENTUM | WITHOUT:
        raise unknown("method", method, [*WITH_MOMENTUM, *WITHOUT])
    if method in WITHOUT:
        if momentum is not None:
            raise ValueError(f"`momentum` does not apply to {method}; leave it out.")
        check_order(order, HIGHEST_ORDER)
        return Series(method, "0", order, coefficients(WITHOUT[method](), order))
    if momentum in (None, SYMBOLIC):
        if HIGHEST_SYMBOLIC_ORDER < order <= HIGHEST_ORDER:
            raise ValueError(
                f"`order` must be at most {HIGHEST_SYMBOLIC_ORDER} with a symbolic momentum, got {order}; "
                f"with a number such as `momentum` 9/10 it may be up to {HIGHEST_ORDER}."
            )
        check_order(order, HIGHEST_SYMBOLIC_ORDER)
        return Series(method, SYMBOLIC, order, coefficients(WITH_MOMENTUM[method](symbolic_momentum()), order))
    check_order(order, HIGHEST_ORDER)
    number = _momentum(momentum)
    return Series(method, str(number), order, coefficients(WITH_MOMENTUM[method](number), order))


def _momentum(text: str) -> Fraction:
    # No exponents: a short text must not stand for a number of a million digits.
    well_formed = re.fullmatch(r"\d{1,40}(/0*[1-9]\d{0,39})?|\d{0,40}\.\d{1,40}", text)
    number = Fraction(text) if well_formed else Fraction(1)
    if not 0 <= number < 1:
        raise ValueError(f"`momentum` must be '{SYMBOLIC}' or a number in [0, 1) such as 9/10 or 0.9, got {text!r}.")
    return number


def _no_loss(known: dict[Tree, Any], order: int, pair: tuple[Tree, Tree]) -> str:
    first, second = sorted(pair, key=symmetry, reverse=True)
    needed = Fraction(symmetry(first), symmetry(second))
    there, back = exact(known[first]), exact(known[second])
    return (
        f"order {order} has no modified loss: {in_f(first)} and {in_f(second)} stand as {there} to {back}; "
        f"a gradient needs {needed.denominator}:{needed.numerator}"
    )


def _factor(text: str) -> str:
    return "" if text == "1" else f"{text} " if text.isalnum() else f"({text}) "


def _sum(texts: dict[Tree, str], name: Callable[[Tree], str], sign: Callable[[Tree], int]) -> str:
    """One line for each order, with its power of h in front."""
    lines: dict[int, str] = {}
    for tree, unsigned in texts.items():
        if unsigned == "0":
            continue
        text = with_sign(unsigned, sign(tree))
        minus, size = text.startswith("-"), text.removeprefix("-")
        factor = "" if size == "1" else size + r"\,"
        before = lines.get(nodes(tree), "")
        plus = "" if not before and not minus else ("-" if minus else "+")
        lines[nodes(tree)] = f"{before} {plus} {factor}{name(tree)}".strip()
    parts = [lines.pop(1, "0")]
    for order, line in lines.items():
        power = "h" if order == 2 else f"h^{{{order - 1}}}"
        parts.append(rf"+ {power}\bigl({line}\bigr)")
    return r" \\ &\quad ".join(parts)
