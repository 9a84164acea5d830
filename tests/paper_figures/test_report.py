"""Claims, their verdicts, and the table of them that is printed and written."""

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, strategies as st

import comparisons
import discrete
import landscapes
from paper_figures import cohen_2021, report
from paper_figures.claim import Claim

FINITE = st.floats(-1e6, 1e6)


def claim(measured: float = 1.0, predicted: tuple[float, float] = (0.9, 1.1), uncertainty: float = 0.0) -> Claim:
    return Claim("it is [about] one", "somebody, figure 1", "its size", predicted, "a tenth", measured, uncertainty)


class Paper:
    """A paper whose computation costs nothing: it saves one comparison and returns the claims it was given."""

    def __init__(self, *claims: Claim):
        self.claims = list(claims)

    def compute(self, folder: Path, *, quick: bool) -> list[Path]:
        path = folder / f"paper{'_quick' * quick}.nc"
        if not path.exists():
            small().save(path)
        return [path]

    def load(self, path: Path) -> comparisons.Comparison:
        return comparisons.load(path)

    def judge(self, runs: list[comparisons.Comparison]) -> list[Claim]:
        assert all(isinstance(run, comparisons.Comparison) for run in runs)
        return self.claims

    def draw(self, runs: list[comparisons.Comparison]):
        return plt.figure(figsize=(1, 1))


def small() -> comparisons.Comparison:
    problem = landscapes.two_valleys()
    return comparisons.compare(discrete.GradientDescent(0.1), {}, problem, steps=4)


@pytest.fixture
def with_claims(monkeypatch):
    return lambda *claims: monkeypatch.setattr(report, "PAPERS", {"paper": Paper(*claims)})


@given(FINITE, FINITE, FINITE, st.floats(0, 1e6))
def test_a_verdict_holds_or_fails_only_where_the_whole_interval_does(one, other, measured, uncertainty):
    low, high = sorted((one, other))
    points = np.linspace(measured - uncertainty, measured + uncertainty, 101)
    inside = (low <= points) & (points <= high)
    verdict = claim(measured, (low, high), uncertainty).verdict
    if verdict == "holds":
        assert inside.all()
    elif verdict == "fails":
        assert not inside.any()
    else:
        assert not inside.all()


@pytest.mark.parametrize(
    ("measured", "uncertainty", "verdict"),
    [
        (1.0, 0.1, "holds"),
        (1.0, 0.11, "undecided"),
        (1.2, 0.05, "fails"),
        (0.8, 0.05, "fails"),
        (1.2, 0.2, "undecided"),
        (1.0, 5.0, "undecided"),
        (np.nan, 0.0, "undecided"),
        (np.inf, 0.0, "undecided"),
    ],
)
def test_a_verdict_of_known_numbers(measured, uncertainty, verdict):
    assert claim(measured, uncertainty=uncertainty).verdict == verdict


def test_a_bound_may_be_open():
    assert claim(1e9, (2.0, np.inf)).verdict == "holds"
    assert claim(1.9, (2.0, np.inf)).verdict == "fails"


def test_the_report_is_written_beside_the_pictures(with_claims, tmp_path, capsys):
    with_claims(claim(), claim(np.nan, (2.0, np.inf)))
    assert report.make_figures(["paper"], quick=True, out=str(tmp_path / "figures")) == 0
    names = {path.name for path in (tmp_path / "figures").iterdir()}
    assert names == {"paper_quick.nc", "paper_quick.png", "paper_quick.svg", "claims.json"}
    printed = capsys.readouterr().out
    assert "[about]" in printed and "holds" in printed and "undecided" in printed


def test_the_claims_are_strict_json_with_their_verdicts(with_claims, tmp_path, capsys):
    with_claims(claim(), claim(np.nan, (2.0, np.inf)))
    report.make_figures([], quick=False, out=str(tmp_path))

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    content = json.loads((tmp_path / "claims.json").read_text(), parse_constant=refuse)
    first, second = content["claims"]["paper"]
    assert first["verdict"] == "holds" and first["measured"] == 1.0 and first["predicted"] == [0.9, 1.1]
    assert second["verdict"] == "undecided" and second["measured"] is None and second["predicted"] == [2.0, None]
    assert {"git_revision", "jax"} <= content["provenance"].keys()
    capsys.readouterr()


def test_a_claim_that_fails_is_the_exit_status(with_claims, tmp_path, capsys):
    with_claims(claim(), claim(3.0))
    assert report.make_figures(["paper"], quick=True, out=str(tmp_path)) == 1
    assert "fails" in capsys.readouterr().out


def test_data_of_an_earlier_run_are_taken_and_said_to_be(with_claims, tmp_path, capsys):
    with_claims(claim())
    report.make_figures(["paper"], quick=True, out=str(tmp_path))
    assert f"wrote {tmp_path / 'paper_quick.nc'}" in capsys.readouterr().out
    before = (tmp_path / "paper_quick.nc").stat().st_mtime_ns
    report.make_figures(["paper"], quick=True, out=str(tmp_path))
    assert f"took from an earlier run {tmp_path / 'paper_quick.nc'}" in capsys.readouterr().out
    assert (tmp_path / "paper_quick.nc").stat().st_mtime_ns == before


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="`out` .* is a file"):
        report.make_figures([], quick=True, out=str(tmp_path / "file"))


def test_an_interrupted_computation_is_not_saved_as_a_whole_one(tmp_path, monkeypatch):
    def interrupted(*args, progress, **kwargs):
        def press(done: int, steps: int) -> None:
            raise KeyboardInterrupt

        return compare(discrete.GradientDescent(0.1), {}, landscapes.two_valleys(), steps=40, progress=press)

    compare = comparisons.compare
    monkeypatch.setattr(comparisons, "compare", interrupted)
    with pytest.raises(KeyboardInterrupt):
        cohen_2021.compute(tmp_path, quick=True)
    assert list(tmp_path.iterdir()) == []
