"""What `odescent compare` says on standard error before it runs."""

import pytest
from command_cases import words

import landscapes
import odescent
from comparisons.console import experiment

NOTE = "note: the sharpness at the start"


def said(capsys, *more: str, **changes: str) -> str:
    assert odescent.main(words(*more, "--json", problem="quadratic", steps="2", **changes)) == 0
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("method", "more", "threshold"),
    [("gradient-descent", (), "0.5714"), ("heavy-ball", ("--momentum", "0.5"), "0.8571")],
)
def test_a_start_beyond_the_edge_is_noted_with_its_numbers_and_the_rate_that_is_within(capsys, method, more, threshold):
    found = said(capsys, *more, method=method, learning_rate="3.5", top="1")  # the largest eigenvalue is 1
    assert found.count(NOTE) == 1 and len(found.splitlines()) == 1
    assert (
        f"sharpness at the start, 1, is beyond the stability threshold {threshold} of this method (h S = 3.5" in found
    )
    within = float(found.split("a learning rate below ")[1].split()[0])
    assert within == pytest.approx(2 if method == "gradient-descent" else 3)


@pytest.mark.parametrize(
    "changes",
    [
        {"learning_rate": "1.9", "top": "1"},
        {"learning_rate": "3.5", "top": "0"},
        {"method": "rmsprop", "flows": "edge-2", "learning_rate": "3.5", "top": "1"},
    ],
    ids=["within", "no eigenvalues asked for", "preconditioned"],
)
def test_nothing_is_noted_within_nor_where_the_sharpness_is_not_asked_for_or_does_not_decide(capsys, changes):
    assert NOTE not in said(capsys, **changes)


def test_without_eigenvalues_none_is_searched_for(capsys, monkeypatch):
    monkeypatch.setattr(experiment.landscapes, "top_eigenpairs", None)
    assert NOTE not in said(capsys, learning_rate="3.5", top="0")


def test_who_asks_for_float32_is_not_told_that_he_gets_it(capsys, monkeypatch):
    monkeypatch.setattr(landscapes.precision, "_said", False)
    assert said(capsys, "--precision", "float32") == ""


def test_the_loss_and_the_accuracy_on_test_examples_are_instruments_where_there_are_such():
    problem = landscapes.digits_mlp(widths=(3,), examples=5, test_examples=4)
    found = experiment._instruments(problem, experiment.method_named("gradient-descent", 0.1), 0)
    assert found["test_loss"] is problem.test_loss and found["test_accuracy"] == problem.test_accuracy
