"""odescent modified: the table, JSON, LaTeX, a written-out field, and bad input in one line."""

import json
from fractions import Fraction

import pytest
from command_cases import ran_without

import odescent


@pytest.fixture
def printed(capsys):
    def run(line: str) -> str:
        assert odescent.main(["modified", *line.split()]) == 0
        captured = capsys.readouterr()
        assert captured.err == ""
        return captured.out

    return run


def test_the_table_shows_every_term_to_order_3_with_its_coefficient(printed):
    text = printed("gradient-descent")
    assert text.startswith("gradient-descent: modified equation to order 3")
    for part in ("f''(f,f)", "f'f'f", "T[g,g]", "H^2 g", "-1/2", "1/12", "1/3", "c = 1/4"):
        assert part in text


def test_a_momentum_method_is_symbolic_unless_a_number_is_given(printed):
    assert "heavy-ball, momentum symbolic" in printed("heavy-ball --order 2")
    numeric = printed("heavy-ball --order 2 --momentum 0.9")
    assert "heavy-ball, momentum 9/10" in numeric and "-950" in numeric


def test_json_is_the_exact_series_and_nothing_else(printed):
    data = json.loads(printed("nesterov --momentum 9/10 --json"))
    assert list(data) == ["method", "momentum", "order", "terms"]
    assert (data["method"], data["momentum"], data["order"]) == ("nesterov", "9/10", 3)
    assert [(term["tree"], term["order"], term["symmetry"]) for term in data["terms"]] == [
        ([], 1, 1),
        ([[]], 2, 1),
        ([[], []], 3, 2),
        ([[[]]], 3, 1),
    ]
    b = Fraction(9, 10)
    assert Fraction(data["terms"][1]["coefficient"]) == -(2 * b**2 - b + 1) / (2 * (1 - b) ** 3)


def test_latex_is_two_equations_and_a_table(printed):
    text = printed("gradient-descent --latex")
    assert text.startswith("% gradient-descent, momentum 0, order 3; needs amsmath and tikz")
    assert text.count(r"\begin{align*}") == 2 and text.count(r"\begin{tabular}") == 1


def test_a_field_is_written_out_beside_the_table_in_latex_and_in_json(printed):
    line = "gradient-descent --order 2 --problem lotka-volterra"
    assert "q' = q*(p - 1) + h*(-q*(p**2 - p*q + 1)/2)" in printed(line)
    assert r"\[ \dot{q} = q \left(p - 1\right)" in printed(f"{line} --latex")
    data = json.loads(printed(f"{line} --json"))
    assert data["variables"] == ["q", "p"] and data["problem"] == "lotka-volterra"
    assert data["field"] == [
        ["q*(p - 1)", "-p*(q - 2)"],
        ["-q*(p**2 - p*q + 1)/2", "p*(p*q - q**2 + 3*q - 4)/2"],
    ]


BAD = {
    "gradient-decent": "--method 'gradient-decent' is unknown; did you mean gradient-descent",
    "nesterov-convex": "--method nesterov-convex has no modified equation: its momentum varies with the step",
    "nesterov-strongly-convex": "--method nesterov-strongly-convex has no modified equation",
    "heavy-ball --momentum 1.2": "--momentum must be 'symbolic' or a number in [0, 1) such as 9/10 or 0.9, got '1.2'",
    "heavy-ball --momentum 1": "got '1'",
    "heavy-ball --momentum abc": "got 'abc'",
    "heavy-ball --momentum 1/0": "got '1/0'",
    "heavy-ball --momentum nan": "got 'nan'",
    "heavy-ball --momentum=-0.1": "got '-0.1'",
    "gradient-descent --momentum 0.5": "--momentum does not apply to gradient-descent",
    "kutta-4 --momentum symbolic": "--momentum does not apply to kutta-4",
    "gradient-descent --order 0": "--order must be a whole number from 1 to 12, got 0",
    "gradient-descent --order 13": "--order must be at most 12, got 13: there are 12,486 trees of order 13",
    "nesterov --order 9": "--order must be at most 8 with a symbolic momentum, got 9",
    "": "missing: METHOD;",
    "nesterov --order two": "--order",
    "gradient-descent --problem lotka": "--problem 'lotka' is unknown; did you mean lotka-volterra",
    "gradient-descent --latex --json": "--latex and --json exclude each other",
}


@pytest.mark.parametrize("line", BAD)
def test_bad_input_is_one_line_on_standard_error_and_nothing_else(line, capsys):
    assert odescent.main(["modified", *line.split()]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("odescent: ") and captured.err.count("\n") == 1
    assert BAD[line] in captured.err


def test_a_complaint_of_what_is_very_long_stays_a_line_that_can_be_read(capsys):
    assert odescent.main(["modified", "heavy-ball", "--momentum", "9" * 5000]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and len(said) < 300 and "got '999" in said and said.endswith("...\n")


def test_numbers_come_without_importing_jax_or_sympy():
    done = ran_without({"jax", "numpy", "sympy"}, ["modified", "heavy-ball", "--momentum", "9/10"])
    assert "heavy-ball" in done.stdout
