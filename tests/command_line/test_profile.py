"""`odescent compare --profile`: where the time went, on standard error."""

import json
import re
import time

import pytest
from command_cases import words

import odescent
from comparisons.clock import clocked, spent_on
from comparisons.console.profile import covered


def rows_in(table: str) -> dict[str, tuple[str, float]]:
    """How many and how many seconds, of each row of the printed table."""
    rows = (re.split(r"\s*[│|]\s*", line.strip(" │|")) for line in table.splitlines())
    return {row[0]: (row[1], float(row[2])) for row in rows if len(row) == 4 and re.fullmatch(r"-?[\d.]+", row[2])}


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["table", "json"])
def test_it_is_told_on_standard_error_with_the_counts_of_the_run(options, tmp_path, capsys):
    begin = time.perf_counter()
    assert odescent.main(words(*options, "--profile", out=str(tmp_path / "run"))) == 0
    whole = time.perf_counter() - begin
    printed = capsys.readouterr()
    assert "went" not in printed.out
    total = float(re.search(r"where ([\d.]+) s went", printed.err)[1])
    rows = rows_in(printed.err)
    assert 0 < total <= whole
    (rest,) = (taken for what, (_, taken) in rows.items() if "the rest" in what)
    assert -0.1 * total < rest < total and min(taken for _, taken in rows.values() if taken != rest) >= 0
    assert rows["drawing"][1] > 0.05 and rows["storage"][1] > 0
    cost = json.loads((tmp_path / "run" / "summary.json").read_text())["cost"]
    sides = [cost["discrete"], *cost["flows"].values()]
    counted = ("gradients of method and flows", "Hessian products of flows", "Hessian products of instruments")
    told = sum(int(rows[what][0].replace(",", "")) for what in counted)
    assert told == sum(side["gradients"] + side["hessian_products"] for side in sides) > 0


def test_what_an_implicit_solver_does_not_count_is_said_to_be_unknown(capsys):
    assert odescent.main(words("--profile", solver="stiff", top="0")) == 0
    rows = rows_in(capsys.readouterr().err)
    assert rows["gradients of method and flows"] == ("?", 0.0)
    assert any("what ? stands for" in what for what in rows)


def test_without_it_nothing_is_told(capsys):
    assert odescent.main(words()) == 0
    assert "went" not in capsys.readouterr().err


def test_a_run_that_goes_on_cannot_be_profiled(tmp_path, capsys):
    assert odescent.main(words("--profile", "--resume", out=str(tmp_path))) == 2
    assert "--profile and --resume exclude each other" in capsys.readouterr().err


def test_spans_that_lie_in_one_another_or_overlap_count_once():
    assert covered([(0.0, 4.0), (1.0, 2.0), (3.0, 5.0), (7.0, 8.0), (7.0, 8.0)]) == 6
    assert covered([]) == 0


def test_seconds_add_up_where_somebody_asks_also_of_what_fails():
    with spent_on("storage"):
        pass

    def fails():
        with spent_on("storage"):
            time.sleep(0.01)
            raise OSError("full")

    with clocked() as seconds:
        for _ in range(2):
            with pytest.raises(OSError, match="full"):
                fails()
    assert list(seconds) == ["storage"] and seconds["storage"] >= 0.02
