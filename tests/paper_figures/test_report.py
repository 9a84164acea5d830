"""Claims, their verdicts, and the table of them that is printed and written."""

import base64
import hashlib
import json
import re

import numpy as np
import pytest
import stub_catalogue
import stub_paper
import xarray
from hypothesis import given, strategies as st
from paper_cases import part_of
from stub_paper import Paper

import comparisons
import discrete
import landscapes
from paper_figures.edge import cohen_2021
from paper_figures.frame import interpolators
from paper_figures.frame.claim import Claim
from paper_figures.frame.constants import constants
from paper_figures.frame.stored import stored
from paper_figures.linear_networks import woodworth_2020
from paper_figures.linear_networks.woodworth_2020 import diagonal_methods
from paper_figures.report import catalogue, entry, report

finite = st.floats(-1e6, 1e6)


def claim(measured: float = 1.0, predicted: tuple[float, float] = (0.9, 1.1), uncertainty: float = 0.0) -> Claim:
    return Claim("it is [about] one", "somebody, figure 1", "its size", predicted, "a tenth", measured, uncertainty)


@pytest.fixture
def with_claims(monkeypatch):
    def install(*claims: Claim, names: tuple[str, ...] = ("paper",)) -> Paper:
        return stub_catalogue.install(monkeypatch, Paper(*claims), names)

    return install


@given(finite, finite, finite, st.floats(0, 1e6))
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
    written = {"claims.json", "claims.md", "report.html"}
    assert names == {"paper_quick.nc", "paper_quick.png", "paper_quick.svg"} | written
    printed = capsys.readouterr().out
    assert "[about]" in printed and "holds" in printed and "undecided" in printed


def test_the_claims_are_strict_json_with_their_verdicts(with_claims, tmp_path, capsys):
    with_claims(claim(), claim(np.nan, (2.0, np.inf)))
    report.make_figures([], quick=False, out=str(tmp_path))

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    content = json.loads((tmp_path / "claims.json").read_text(), parse_constant=refuse)
    paper = content["papers"]["paper"]
    first, second = paper["claims"]
    assert first["verdict"] == "holds" and first["measured"] == 1.0 and first["predicted"] == [0.9, 1.1]
    assert second["verdict"] == "undecided" and second["measured"] is None and second["predicted"] == [2.0, None]
    assert {"git_revision", "jax"} <= paper["provenance"].keys()
    assert paper["constants"]["NUMBER"] == stub_paper.NUMBER
    assert paper["data"] == {"paper.nc": hashlib.sha256((tmp_path / "paper.nc").read_bytes()).hexdigest()}
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


def test_data_made_with_other_constants_are_made_again(with_claims, tmp_path, capsys, monkeypatch):
    with_claims(claim())
    report.make_figures(["paper"], quick=True, out=str(tmp_path))
    monkeypatch.setattr(stub_paper, "NUMBER", 8.0)
    capsys.readouterr()
    report.make_figures(["paper"], quick=True, out=str(tmp_path))
    assert f"wrote {tmp_path / 'paper_quick.nc'}" in capsys.readouterr().out


def test_what_data_are_made_with_includes_the_constants_of_the_modules_beside_a_paper():
    found = constants(part_of(woodworth_2020, "compute"))
    assert found["DEPTHS"] == list(woodworth_2020.setting.DEPTHS)
    assert found["woodworth_2020.diagonal_methods.SCALE"] == diagonal_methods.SCALE
    assert found["interpolators.POLISHING_STEPS"] == interpolators.POLISHING_STEPS
    assert not any(name.startswith(("stored.", "claim.", "woodworth_2020.judge.")) for name in found)


def test_the_same_program_writes_the_same_bytes(with_claims, tmp_path, capsys):
    with_claims(claim())
    for folder in ("one", "other"):
        report.make_figures(["paper"], quick=True, out=str(tmp_path / folder))
    assert (tmp_path / "one/paper_quick.nc").read_bytes() == (tmp_path / "other/paper_quick.nc").read_bytes()
    capsys.readouterr()


def test_what_lies_where_data_should_is_refused(with_claims, tmp_path):
    with_claims(claim())
    (tmp_path / "paper_quick.nc").write_text("no data")
    with pytest.raises(ValueError, match="`out` holds .*no data of a figure"):
        report.make_figures(["paper"], quick=True, out=str(tmp_path))


def test_the_page_holds_figures_and_claims_and_needs_no_other_file(with_claims, tmp_path, capsys):
    with_claims(claim(), claim(3.0))
    report.make_figures([], quick=False, out=str(tmp_path))
    text = (tmp_path / "report.html").read_text()
    capsys.readouterr()
    image = base64.b64encode((tmp_path / "paper.png").read_bytes()).decode()
    assert f"data:image/png;base64,{image}" in text
    assert "&lt;b&gt;no&lt;/b&gt;" in text and "<b>" not in text
    assert "1 holds, 1 fails" in text and "somebody, figure 1" in text and "NUMBER = 7.0" in text
    targets = set(re.findall(r'href="#([^"]+)"', text))
    assert targets == {"paper", "paper-2", "paper-figure"} <= set(re.findall(r'id="([^"]+)"', text))
    assert not re.search(r'(src|href)="(?!#|data:)', text) and "<script" not in text


def test_the_document_has_a_row_for_every_claim_and_the_command(with_claims, tmp_path, capsys):
    with_claims(claim(), claim(3.0))
    report.make_figures([], quick=True, out=str(tmp_path))
    text = (tmp_path / "claims.md").read_text()
    assert text.count("| it is [about] one | somebody, figure 1 | its size | 0.9 to 1.1 |") == 2
    assert "odescent figures paper --quick" in text and "2 published or derived statements" in text
    capsys.readouterr()


def test_papers_of_earlier_calls_stay_in_the_report(with_claims, tmp_path, capsys):
    with_claims(claim(), names=("another", "paper"))
    report.make_figures(["paper"], quick=True, out=str(tmp_path))
    report.make_figures(["another"], quick=True, out=str(tmp_path))
    assert set(entry.read(tmp_path)) == {"another", "paper"}
    assert entry.read(tmp_path)["paper"].claims == [claim()]
    capsys.readouterr()


def test_a_paper_without_its_data_is_left_out_or_refused(with_claims, tmp_path, capsys):
    paper = with_claims(claim())
    paper.missing = lambda quick: "pass --data-dir"
    assert report.make_figures([], quick=True, out=str(tmp_path)) == 0
    assert "left out paper: pass --data-dir" in capsys.readouterr().out
    with pytest.raises(ValueError, match="`papers` paper cannot be made: pass --data-dir"):
        report.make_figures(["paper"], quick=True, out=str(tmp_path))


def test_the_list_names_every_paper(with_claims, capsys):
    with_claims()
    catalogue.list_papers()
    assert capsys.readouterr().out.startswith('paper  Somebody 1999, "A paper whose computation costs nothing"')


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


def test_a_figure_that_does_not_look_whether_its_runs_are_whole_saves_no_part_of_one(tmp_path):
    def press(done: int, steps: int) -> None:
        raise KeyboardInterrupt

    def computed() -> xarray.Dataset:
        problem = landscapes.two_valleys()
        run = discrete.run(discrete.GradientDescent(0.1), problem.loss, problem.params, steps=40, progress=press)
        return xarray.Dataset({"step": ("sample", run.steps)})

    with pytest.raises(KeyboardInterrupt):
        stored(tmp_path, "part", quick=True, computed=computed)
    assert list(tmp_path.iterdir()) == []
