"""The quick figure of Cohen et al. 2021 on digits (its claims are tested with `edge_runs`), and what a verdict is."""

import numpy as np
import pytest

from paper_figures.frame.claim import Claim
from paper_figures.report.report import make_figures


def test_a_verdict_needs_the_whole_interval_on_one_side():
    make = lambda measured, width: Claim("s", "p", "q", (0.9, 1.1), "b", measured, width).verdict  # noqa: E731
    assert make(1.0, 0.05) == "holds"
    assert make(1.3, 0.05) == "fails"
    assert make(1.1, 0.05) == "undecided"
    assert make(np.nan, 0.0) == "undecided"


def test_an_unknown_paper_is_refused_with_the_known_one(tmp_path):
    with pytest.raises(ValueError, match="cohen_2021"):
        make_figures(["cohen_2012"], quick=True, out=str(tmp_path / "figures"))
    assert not (tmp_path / "figures").exists()


@pytest.mark.slow
def test_the_quick_figure_is_made_and_its_claims_hold(tmp_path, capsys):
    assert make_figures(["cohen_2021"], quick=True, out=str(tmp_path)) == 0
    assert (tmp_path / "cohen_2021_quick.png").stat().st_size > 10_000
    assert capsys.readouterr().out.count("holds") == 6
