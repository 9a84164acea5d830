"""Papers computed several at once: the same bytes as one after the other, and an error of one is that of all."""

import pytest

from paper_figures.frame.computing import computed
from paper_figures.report import catalogue
from paper_figures.report.report import make_figures

CHEAP = ("polyak_1964", "saxe_2014_depth")


def made(folder, jobs: int) -> tuple[list[str], dict[str, bytes]]:
    begun = []
    papers = {name: catalogue.PAPERS[name] for name in CHEAP}
    for _, found in computed(papers, folder, quick=True, jobs=jobs, begun=begun.append):
        assert not found.taken and found.seconds > 0
    return begun, {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.slow
def test_at_once_they_write_what_they_write_one_after_the_other(tmp_path):
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    assert made(tmp_path / "one", jobs=1) == made(tmp_path / "other", jobs=2)


def test_an_error_in_another_process_is_raised_here(tmp_path):
    (tmp_path / "polyak_1964_quick.nc").write_text("no data")
    papers = {"polyak_1964": catalogue.PAPERS["polyak_1964"]}
    with pytest.raises(ValueError, match="no data of a figure"):
        list(computed(papers, tmp_path, quick=True, jobs=2, begun=lambda name: None))


def test_no_jobs_at_all_are_refused(tmp_path):
    with pytest.raises(ValueError, match="`jobs` must be at least 1, got 0"):
        make_figures([], quick=True, out=str(tmp_path), jobs=0)
