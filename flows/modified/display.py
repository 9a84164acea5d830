"""Trees and coefficients as people write them: f'f''(f,f), H T[g,g], LaTeX, nested lists."""

from fractions import Fraction
from typing import Any

from .scheme import SYMBOL
from .trees import Tree, order

PRIMES = 3


def in_f(tree: Tree) -> str:
    """f, f'f, f''(f,f), f'f''(f,f'f), f^(4)(f,f,f,f), ...

    >>> in_f((((), ()),))
    "f'f''(f,f)"
    """
    return _nested(tree, lambda n: "f" + "'" * n if n <= PRIMES else f"f^({n})")


def in_f_latex(tree: Tree) -> str:
    """The same for a formula in LaTeX."""
    return _nested(tree, lambda n: "f" + "'" * n if n <= PRIMES else f"f^{{({n})}}")


def _nested(tree: Tree, derivative: Any) -> str:
    inside = ",".join(_nested(child, derivative) for child in tree)
    return derivative(len(tree)) + (f"({inside})" if len(tree) > 1 else inside)


def in_gradients(tree: Tree) -> str:
    """For f = -g, up to the sign (-1)^order: g, H g, T[g,g], H T[g,g], L4[g,g,g]; g, H, T, L4: derivatives of L.

    >>> in_gradients(((((),),),))
    'H^3 g'
    """
    return _derivatives(tree, ("g", "H", "T"), "L{}", "^{}")


def in_gradients_latex(tree: Tree) -> str:
    """The same for a formula in LaTeX, with the derivatives of L written out from the third on."""
    return _derivatives(tree, ("g", "H", r"\nabla^3\!L"), r"\nabla^{{{}}}\!L", "^{{{}}}")


def _derivatives(tree: Tree, names: tuple[str, ...], further: str, power: str) -> str:
    hessians = 0
    while len(tree) == 1:
        hessians, (tree,) = hessians + 1, tree
    arity = len(tree)
    name = names[arity] if arity < len(names) else further.format(arity + 1)
    inside = ",".join(_derivatives(child, names, further, power) for child in tree)
    head = "" if not hessians else names[1] + (power.format(hessians) if hessians > 1 else "") + " "
    return head + name + (f"[{inside}]" if arity else "")


def sign_for_gradients(tree: Tree) -> int:
    """(-1)^order: every node of f = -grad L brings one minus."""
    return (-1) ** order(tree)


def drawn(tree: Tree) -> str:
    """A small tree, root below, for LaTeX with \\usepackage{tikz}."""
    node = "every node/.style={circle,fill,inner sep=0.2ex}"
    style = f"grow=up,level distance=2ex,sibling distance=1.6ex,baseline=-0.5ex,{node}"
    return rf"\tikz[{style}]\node{{}}{_branches(tree)};"


def _branches(tree: Tree) -> str:
    return "".join(f" child{{node{{}}{_branches(child)}}}" for child in tree)


def nested_list(tree: Tree) -> list:
    """[] for f, [[]] for f'f, [[], []] for f''(f,f)."""
    return [nested_list(child) for child in tree]


def exact(value: Any) -> str:
    """-1/12 for a fraction; for a function of the momentum an expression in beta that sympy and Python can read."""
    if isinstance(value, Fraction):
        return str(value)
    sign, top, scale, power = _over_power(value)
    below = [str(scale)] * (scale != 1) + [f"(1 - {SYMBOL})" + (f"**{power}" if power > 1 else "")] * (power > 0)
    text = sign + (f"({top})" if top.is_Add else str(top))
    return text + "".join([f"/{below[0]}"] if len(below) == 1 else [f"/({'*'.join(below)})"] if below else [])


def with_sign(text: str, sign: int) -> str:
    """The text of a coefficient, of which -1 as sign turns the minus in front."""
    if sign > 0 or text == "0":
        return text
    return text.removeprefix("-") if text.startswith("-") else f"-{text}"


def exact_latex(value: Any) -> str:
    """The same for a formula in LaTeX."""
    if isinstance(value, Fraction):
        sign, top, below = "-" * (value < 0), str(abs(value.numerator)), str(value.denominator)
    else:
        import sympy

        sign, top, scale, power = _over_power(value)
        top, below = sympy.latex(top), sympy.latex(scale * sympy.Symbol(rf"(1-\{SYMBOL})") ** power)
    return sign + (top if below == "1" else rf"\frac{{{top}}}{{{below}}}")


def _over_power(value: Any) -> tuple[str, Any, int, int]:
    """(sign, top, scale, power) with value = sign top / (scale (1 - beta)^power), top a sympy expression, factored.

    The denominators of all methods here are such powers.
    """
    import sympy

    beta = sympy.Symbol(SYMBOL)
    top, below = sympy.fraction(sympy.together(value.as_expr()))
    factors = sympy.Poly(below, beta).factor_list()
    power = sum(times for _, times in factors[1])
    if any(factor not in (sympy.Poly(beta - 1, beta), sympy.Poly(1 - beta, beta)) for factor, _ in factors[1]):
        raise ValueError(f"the denominator of {value} is no power of 1 - {SYMBOL}.")
    top, scale = sympy.fraction(sympy.together(sympy.cancel(top * (1 - beta) ** power / below)))
    negative = sympy.Poly(top, beta).LC() < 0
    return "-" * bool(negative), sympy.factor(-top if negative else top), int(scale), power
