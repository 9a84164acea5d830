"""`odescent compare --profile`: where the time went, on standard error."""

import re
import time

import pytest
from command_cases import words

import odescent
from comparisons.clock import clocked, spent_on
from comparisons.console.profile import covered


def seconds_in(table: str) -> dict[str, float]:
    """The rows of the printed table."""
    rows = (re.split(r"\s*[│|]\s*", line.strip(" │|")) for line in table.splitlines())
    return {row[0]: float(row[2]) for row in rows if len(row) == 4 and re.fullmatch(r"-?[\d.]+", row[2])}


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["table", "json"])
def test_it_is_told_on_standard_error_and_adds_up(options, tmp_path, capsys):
    begin = time.perf_counter()
    assert odescent.main(words(*options, "--profile", out=str(tmp_path / "run"))) == 0
    whole = time.perf_counter() - begin
    printed = capsys.readouterr()
    assert "went" not in printed.out
    total = float(re.search(r"where ([\d.]+) s went", printed.err)[1])
    rows = seconds_in(printed.err)
    assert {"tracing", "storage", "drawing", "gradients of method and flows"} <= rows.keys()
    assert 0 < total <= whole
    assert sum(rows.values()) == pytest.approx(total, abs=0.2)
    assert min(seconds for what, seconds in rows.items() if "the rest" not in what) >= 0
    assert rows["drawing"] > 0.05 and rows["storage"] > 0


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
