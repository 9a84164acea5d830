"""What people read: names of differentials, exact numbers, LaTeX, plain data, and whether a modified loss exists."""

from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from rich.console import Console

from flows.modified.coefficients import coefficients
from flows.modified.differentials import combination
from flows.modified.display import (
    drawn,
    exact,
    exact_latex,
    in_f,
    in_f_latex,
    in_gradients,
    in_gradients_latex,
    nested_list,
    sign_for_gradients,
)
from flows.modified.gradient_structure import broken_ratio
from flows.modified.scheme import heavy_ball_scheme, look_ahead_scheme, nesterov_scheme, symbolic_momentum
from flows.modified.series import series
from flows.modified.trees import LEAF, symmetry, trees_up_to

CHAIN, CHERRY, TALL = (LEAF,), (LEAF, LEAF), ((LEAF,),)
DESCENT = heavy_ball_scheme(Fraction(0))

# tree: (in f, in gradients, nested list)
NAMES = {
    LEAF: ("f", "g", []),
    CHAIN: ("f'f", "H g", [[]]),
    CHERRY: ("f''(f,f)", "T[g,g]", [[], []]),
    TALL: ("f'f'f", "H^2 g", [[[]]]),
    (LEAF, CHAIN): ("f''(f,f'f)", "T[g,H g]", [[], [[]]]),
    (CHERRY,): ("f'f''(f,f)", "H T[g,g]", [[[], []]]),
    (TALL,): ("f'f'f'f", "H^3 g", [[[[]]]]),
    (LEAF,) * 3: ("f'''(f,f,f)", "L4[g,g,g]", [[], [], []]),
    (LEAF,) * 4: ("f^(4)(f,f,f,f)", "L5[g,g,g,g]", [[], [], [], []]),
    ((CHERRY,),): ("f'f'f''(f,f)", "H^2 T[g,g]", [[[[], []]]]),
}


@pytest.mark.parametrize("tree", NAMES)
def test_a_tree_is_written_in_f_in_gradients_and_as_a_nested_list(tree):
    assert (in_f(tree), in_gradients(tree), nested_list(tree)) == NAMES[tree]


def test_no_two_trees_are_written_the_same():
    trees = list(trees_up_to(8))
    for write in (in_f, in_f_latex, in_gradients, in_gradients_latex, drawn):
        assert len(set(map(write, trees))) == len(trees)


def test_every_node_of_minus_the_gradient_brings_a_sign():
    def loss(x):
        return jnp.sum(x**4)

    x = jnp.array([0.5, -1.0])
    cherry = combination(lambda y: -jax.grad(loss)(y), x, {CHERRY: 1.0})
    third, gradient = 24 * x, 4 * x**3
    np.testing.assert_allclose(cherry, sign_for_gradients(CHERRY) * third * gradient**2)
    assert [sign_for_gradients(tree) for tree in (LEAF, CHAIN, TALL, (TALL,))] == [-1, 1, -1, 1]


def test_a_tree_is_drawn_with_a_node_for_every_f():
    assert drawn((LEAF, CHAIN)).endswith(r"]\node{} child{node{}} child{node{} child{node{}}};")


@pytest.mark.parametrize("make", [heavy_ball_scheme, nesterov_scheme, look_ahead_scheme])
def test_the_text_in_beta_is_the_fraction_when_python_reads_it(make):
    fractions = coefficients(make(Fraction(9, 10)), 4)
    for tree, value in coefficients(make(symbolic_momentum()), 4).items():
        assert eval(exact(value), {"beta": Fraction(9, 10)}) == fractions[tree]


def test_numbers_are_written_short():
    b = symbolic_momentum()
    assert [exact(Fraction(*pair)) for pair in ((1, 1), (-1, 12), (0, 1))] == ["1", "-1/12", "0"]
    assert [exact_latex(Fraction(*pair)) for pair in ((3, 1), (-1, 12), (0, 1))] == ["3", r"-\frac{1}{12}", "0"]
    assert [exact(value) for value in (1 / (1 - b), -b / 2, b * 0, b / b)] == ["1/(1 - beta)", "-beta/2", "0", "1"]


def test_a_denominator_with_another_root_is_refused():
    with pytest.raises(ValueError, match=r"is no power of 1 - beta"):
        exact(1 / (symbolic_momentum() + 2))


@pytest.mark.parametrize(
    ("method", "terms"),
    [
        ("gradient-descent", [r"\frac{1}{12}\,f''(f,f) + \frac{1}{3}\,f'f'f", r"- \frac{1}{12}\,\nabla^3\!L[g,g]"]),
        ("kutta-4", [r"\begin{align*}\dot X &= f\end{align*}", "$f'f$ & $1$ & $0$"]),
        ("heavy-ball", [r"\frac{\beta^{2} + 10 \beta + 1}{12 (1-\beta)^{5}}\,f''(f,f)", r"\frac{1}{(1-\beta)}\,f"]),
        ("nesterov", [r"h\bigl(- \frac{2 \beta^{2} - \beta + 1}{2 (1-\beta)^{3}}\,f'f\bigr)", r"H^{2} g"]),
    ],
)
def test_the_latex_holds_the_known_terms_and_a_row_for_every_tree(method, terms):
    text = series(method, 3).to_latex()
    for term in terms:
        assert term in text
    assert text.count(r"\tikz") == 4
    assert text.count("{") == text.count("}") and text.count(r"\begin{") == text.count(r"\end{")


def test_the_plain_data_has_every_tree_with_its_symmetry_and_exact_coefficient():
    data = series("gradient-descent", 3).to_dict()
    assert data == {
        "method": "gradient-descent",
        "momentum": "0",
        "order": 3,
        "terms": [
            {"tree": [], "order": 1, "symmetry": 1, "coefficient": "1"},
            {"tree": [[]], "order": 2, "symmetry": 1, "coefficient": "-1/2"},
            {"tree": [[], []], "order": 3, "symmetry": 2, "coefficient": "1/12"},
            {"tree": [[[]]], "order": 3, "symmetry": 1, "coefficient": "1/3"},
        ],
    }


def test_a_momentum_is_a_fraction_a_decimal_or_the_symbol():
    assert series("nesterov", 2, "0.9") == series("nesterov", 2, "9/10")
    assert series("nesterov", 2) == series("nesterov", 2, "symbolic")
    assert (series("nesterov", 2).momentum, series("nesterov", 2, "0.9").momentum) == ("symbolic", "9/10")


def test_the_table_says_which_modified_loss_there_is_and_which_not():
    console = Console(width=200)
    with console.capture() as captured:
        console.print(series("heavy-ball", 3).to_table())
        console.print(series("gradient-descent", 1).to_table())
    text = captured.get()
    assert "-(1/(1 - beta)) grad(L + c h |grad L|^2), c = (beta + 1)/(4*(1 - beta)**2)" in text
    assert "order 3 has no modified loss: f''(f,f) and f'f'f" in text
    assert "order 1 is gradient flow: X' = -grad L" in text


def test_gradient_descent_has_a_modified_loss_to_order_2_and_none_at_order_3():
    known = coefficients(DESCENT, 4)
    assert broken_ratio(known, 1) is None and broken_ratio(known, 2) is None
    assert set(broken_ratio(known, 3) or ()) == {CHERRY, TALL}
    assert broken_ratio(known, 4) is not None


def asymmetry(weights) -> float:
    """Of the Jacobian of sum weights F(tree), f = -grad L of a polynomial L in three variables, relative."""
    mixing, factors = np.random.default_rng(0).normal(size=(6, 3)), jnp.linspace(-1, 1, 7)

    def downhill(x):
        return -jax.grad(lambda y: jnp.sum(jnp.polyval(factors, mixing @ y)))(x)

    jacobian = jax.jit(jax.jacfwd(lambda x: combination(downhill, x, weights)))(jnp.array([0.2, -0.4, 0.3]))
    return float(jnp.linalg.norm(jacobian - jacobian.T) / jnp.linalg.norm(jacobian))


# The trees that one tree without root can be rooted to: at order 3 the path, at order 4 the path and the star.
SAME_BUT_FOR_THE_ROOT = [[CHERRY, TALL], [(LEAF, CHAIN), (TALL,)], [(LEAF,) * 3, (CHERRY,)]]


@pytest.mark.parametrize("trees", SAME_BUT_FOR_THE_ROOT)
@pytest.mark.parametrize("factor", [1, -1, 2, 4])
@pytest.mark.slow
def test_a_combination_is_a_gradient_if_and_only_if_no_ratio_is_broken(trees, factor):
    """Coefficients 1/symmetry make a gradient; the second is taken times a factor."""
    order = 3 if trees[1] == TALL else 4
    first, second = trees
    weights = {first: Fraction(1, symmetry(first)), second: Fraction(factor, symmetry(second))}
    known = dict.fromkeys(trees_up_to(order), Fraction(0)) | weights
    found = asymmetry({tree: float(weight) for tree, weight in weights.items()})
    if factor == 1:
        assert broken_ratio(known, order) is None and found < 1e-12
    else:
        assert set(broken_ratio(known, order) or ()) == set(trees) and found > 1e-3


def test_both_trees_without_root_of_order_4_together_make_a_gradient():
    path, star = SAME_BUT_FOR_THE_ROOT[1:]
    weights = {tree: 3 / symmetry(tree) for tree in path} | {tree: -2 / symmetry(tree) for tree in star}
    assert asymmetry(weights) < 1e-12
