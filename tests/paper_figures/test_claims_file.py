"""claims.json and stored data that somebody changed: one line, nothing outside the folder, nothing that runs."""

import json
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
import stub_paper
from stub_catalogue import install

from paper_figures.frame.claim import Claim
from paper_figures.report import catalogue, entry, page, report

DIGEST = "0" * 64
SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(1)>"


def claim(text: str = "it is one") -> Claim:
    return Claim(text, text, text, (0.9, np.inf), text, np.nan)


def content_of(folder: Path) -> dict:
    made = entry.Entry(
        "h", ["a"], "quick", "paper_quick", [claim()], {"paper_quick.nc": DIGEST}, 1.0, {"N": 1}, {"v": "1"}
    )
    return json.loads(entry.write(folder, {"paper": made}).read_text())


def test_what_is_written_is_read(tmp_path):
    content_of(tmp_path)
    (found,) = entry.read(tmp_path).values()
    assert found.claims[0].predicted == (0.9, np.inf) and np.isnan(found.claims[0].measured)
    assert entry.read(tmp_path / "nowhere") == {}


def changed(path: str, value):
    """A change of the entry's part at papers.paper.<path>."""

    def change(content):
        *above, last = ["papers", "paper", *(int(key) if key.isdigit() else key for key in path.split("."))]
        at = content
        for key in above:
            at = at[key]
        at[last] = value
        return json.dumps(content)

    return change


def without(key: str):
    def change(content):
        del content["papers"]["paper"][key]
        return json.dumps(content)

    return change


CHANGES = {
    "a list": lambda content: "[]",
    "null": lambda content: "null",
    "a number": lambda content: "7",
    "nothing": lambda content: "",
    "half of it": lambda content: json.dumps(content)[:100],
    "bytes": lambda content: b"\xff\xfe\x00",
    "papers as a list": lambda content: '{"papers": []}',
    "a paper as null": lambda content: '{"papers": {"paper": null}}',
    "a paper with a path as its name": lambda content: json.dumps({"papers": {"../x": content["papers"]["paper"]}}),
    "deeply nested": lambda content: "[" * 100_000 + "]" * 100_000,
    "deeply nested constants": changed("constants", {"N": json.loads("[" * 200 + "]" * 200)}),
    "no claims": without("claims"),
    "no figure": without("figure"),
    "a key too many": changed("more", 1),
    "a text as measured": changed("claims.0.measured", "1"),
    "a boolean as measured": changed("claims.0.measured", True),
    "a number beyond floats": changed("claims.0.measured", 10**400),
    "three bounds": changed("claims.0.predicted", [0, 1, 2]),
    "a text as a bound": changed("claims.0.predicted", [0, "1"]),
    "no number": lambda content: json.dumps(content).replace('"uncertainty": 0.0', '"uncertainty": NaN'),
    "a number as statement": changed("claims.0.statement", 1),
    "claims as an object": changed("claims", {}),
    "seconds as a text": changed("seconds", "1"),
    "negative seconds": changed("seconds", -1),
    "endless seconds": changed("seconds", 1e300),
    "another size": changed("size", "huge"),
    "an account as a text": changed("account", "a"),
    "a digest that is none": changed("data", {"paper.nc": SCRIPT}),
    "data out of the folder": changed("data", {"../paper.nc": DIGEST}),
    "absolute data": changed("data", {"/etc/passwd": DIGEST}),
    "a figure out of the folder": changed("figure", "../secret"),
    "an absolute figure": changed("figure", "/etc/passwd"),
    "the folder above as a figure": changed("figure", ".."),
    "a figure with an end in it": changed("figure", "a\0b"),
    "a figure as null": changed("figure", None),
    "versions as numbers": changed("provenance", {"jax": 1}),
}


@pytest.fixture
def papers(monkeypatch):
    install(monkeypatch, stub_paper.Paper(claim()))


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_claims_file_is_refused_in_one_line(change, tmp_path, papers):
    folder = tmp_path / "figures"
    folder.mkdir()
    (tmp_path / "secret.png").write_bytes(b"secret")
    text = change(content_of(folder))
    (folder / "claims.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ValueError, match=r"claims.json is not as it was written: .*; remove it") as refusal:
        report.make_figures([], quick=True, out=str(folder))
    assert "\n" not in str(refusal.value) and len(str(refusal.value)) < 600
    # Before anything is computed.
    assert [path.name for path in folder.iterdir()] == ["claims.json"]


def test_a_folder_in_the_place_of_the_claims_file_is_refused(tmp_path, papers):
    (tmp_path / "claims.json").mkdir()
    with pytest.raises(ValueError, match="claims.json .*is no file"):
        report.make_figures([], quick=True, out=str(tmp_path))


def test_texts_of_the_claims_file_are_escaped_in_the_page(tmp_path):
    (tmp_path / "paper_quick.png").write_bytes(b"png")
    made = entry.Entry(
        SCRIPT, [SCRIPT], "quick", "paper_quick", [claim(SCRIPT)], {f"{SCRIPT[:8]}.nc": DIGEST}, 1.0,
        {SCRIPT: SCRIPT, "N": {SCRIPT: [SCRIPT]}}, {SCRIPT: SCRIPT},
    )  # fmt: skip
    entry.write(tmp_path, {'"><b onload=x>': made})
    text = page.page(entry.read(tmp_path), tmp_path)
    assert "<script" not in text and "<img src=x" not in text and "<b " not in text
    assert text.count("&lt;script&gt;") > 8
    # No attribute ends early: what is left of the tags without quoted values has no handler.
    tags = [re.sub(r'"[^"]*"', "", tag) for tag in re.findall(r"<[^>]*>", text)]
    assert tags and not any("onerror" in tag or "onload" in tag for tag in tags)


def test_a_picture_that_is_gone_leaves_its_paper_out_of_the_report_and_says_so(tmp_path, monkeypatch, capsys):
    install(monkeypatch, stub_paper.Paper(claim()), names=("another", "paper"))
    report.make_figures([], quick=True, out=str(tmp_path))
    (tmp_path / "another_quick.png").unlink()
    report.make_figures(["paper"], quick=True, out=str(tmp_path))
    assert "left another out of the report: its picture is gone; make it again with odescent figures another" in (
        capsys.readouterr().out
    )
    assert set(entry.read(tmp_path)) == {"paper"}


class Burglar:
    """Unpickled, it leaves a file."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def malicious(path: Path, folder: Path, kind: str) -> None:
    """A file of this kind at the path, whose pickle leaves a file in the folder."""
    burglar = Burglar(folder / "broken in")
    rows = np.array([burglar, burglar], dtype=object)
    if kind == "pickle":
        path.write_bytes(pickle.dumps(burglar))
    elif kind == "old pickle":
        path.write_bytes(pickle.dumps(burglar, protocol=0))
    elif kind == "array":
        with path.open("wb") as file:
            np.save(file, rows, allow_pickle=True)
    elif kind == "arrays":
        with path.open("wb") as file:
            np.savez(file, number=rows)
    elif kind == "zarr":
        path.mkdir()
        (path / ".zgroup").write_text('{"zarr_format": 2}')
        (path / ".zattrs").write_text("{}")
    elif kind == "netCDF 3":
        path.write_bytes(b"CDF\x01" + b"\xff" * 64)
    else:
        path.write_bytes(b"\x89HDF\r\n\x1a\n" + pickle.dumps(burglar))


@pytest.mark.parametrize("kind", ["pickle", "old pickle", "array", "arrays", "zarr", "netCDF 3", "HDF5 with a pickle"])
@pytest.mark.parametrize("name", ["paper_quick.nc", "claims.json"])
def test_no_pickle_is_ever_loaded(kind, name, tmp_path, papers):
    folder = tmp_path / "figures"
    folder.mkdir()
    malicious(folder / name, tmp_path, kind)
    with pytest.raises(ValueError, match=name):
        report.make_figures([], quick=True, out=str(folder))
    assert [path.name for path in tmp_path.iterdir()] == ["figures"]


def test_the_burglar_would_have_been_seen(tmp_path):
    malicious(tmp_path / "file", tmp_path, "pickle")
    pickle.loads((tmp_path / "file").read_bytes())
    assert (tmp_path / "broken in").exists()


def test_nothing_here_reads_pickles_or_evaluates_text():
    root = Path(catalogue.__file__).parents[1]
    for path in root.rglob("*.py"):
        assert not re.search(r"allow_pickle=True|\bpickle\b|\beval\(|\bexec\(|yaml|joblib", path.read_text()), path


def test_no_figure_is_wider_than_the_page_in_any_width():
    rules = re.sub(r"/\*.*?\*/", "", page.CSS.read_text(), flags=re.S)
    image = [body for selector, body in re.findall(r"([^{}]*)\{([^{}]*)\}", rules) if "img" in selector]
    assert "max-width: 100%" in image[0]
    assert not any(re.search(r"(?<!max-)width|overflow", body.replace("max-width", "")) for body in image[1:])
    figures = [body for selector, body in re.findall(r"([^{}]*)\{([^{}]*)\}", rules) if "figure" in selector]
    assert not any("min-width" in body or "overflow" in body for body in figures)
