"""A stored JSON file that somebody changed: one line that says where, or the content as it was."""

import json
import os

import pytest

from comparisons.storage.stored_json import plain_name, read_json

SHAPE = {
    "papers": {
        plain_name: {
            "size": str,
            "seconds": (float, None),
            "bounds": [(float, None), (float, None)],
            "claims": [{"id": str, "holds": bool}],
            "count": int,
            "constants": {...: object},
        }
    }
}
GOOD = {
    "papers": {
        "cohen_2021": {
            "size": "full",
            "seconds": 3,
            "bounds": [None, 2.5],
            "claims": [{"id": "a", "holds": True}],
            "count": 4,
            "constants": {"RATES": [1, [2]], "NAME": "x"},
        }
    }
}


def changed(**changes):
    return {"papers": {"cohen_2021": GOOD["papers"]["cohen_2021"] | changes}}


def refusal(path, content, shape=SHAPE) -> str:
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    with pytest.raises(ValueError) as caught:
        read_json(path, shape, remedy="make it again")
    said = str(caught.value)
    assert "\n" not in said and said.startswith(f"{path} is not as it was written: it ")
    assert said.endswith("; make it again.") and len(said) < 400
    return said


def test_what_has_the_shape_comes_back_unchanged(tmp_path):
    path = tmp_path / "claims.json"
    path.write_text(json.dumps(GOOD))
    assert read_json(path, SHAPE, remedy="") == GOOD


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "has null alone, where an object belongs"),
        ([], "has a list alone, where an object belongs"),
        (3, "has 3 alone"),
        ({}, "has no papers"),
        ({"papers": []}, "has a list as papers, where an object belongs"),
        (GOOD | {"more": 1}, "has more, which does not belong there"),
        ({"papers": {"../etc": {}}}, 'has papers."../etc", which does not belong there'),
        ({"papers": {"/etc/passwd": {}}}, 'has papers."/etc/passwd"'),
        ({"papers": {"..": {}}}, 'has papers.".."'),
        ({"papers": {"a": None}}, "has null as papers.a, where an object belongs"),
        (changed(size=3), "has 3 as papers.cohen_2021.size, where a text belongs"),
        (changed(seconds="long"), 'has "long" as papers.cohen_2021.seconds, where a number or null belongs'),
        (changed(seconds=True), "has true as papers.cohen_2021.seconds"),
        (changed(seconds=10**400), "as papers.cohen_2021.seconds, where a number or null belongs"),
        (changed(bounds=[1]), "has a list as papers.cohen_2021.bounds, where a list of 2 belongs"),
        (changed(bounds=[1, "x"]), 'has "x" as papers.cohen_2021.bounds[1]'),
        (changed(claims=[{"id": "a", "holds": 1}]), "has 1 as papers.cohen_2021.claims[0].holds, where true or false"),
        (changed(claims=[{"id": "a"}]), "has no papers.cohen_2021.claims[0].holds"),
        (changed(count=1.5), "has 1.5 as papers.cohen_2021.count, where a whole number belongs"),
        (changed(count=False), "has false as papers.cohen_2021.count"),
        (changed(size=["a\n" * 1000]), "has a list as papers.cohen_2021.size"),
        (changed(count="a\n" * 1000), "as papers.cohen_2021.count"),
        (b"", "is no JSON"),
        (b"{", "is no JSON"),
        (b"\xff\xfe\x00", "is no JSON"),
        (b'{"papers": NaN}', "is no JSON (NaN is not part of JSON)"),
        (b'{"papers": 1e999}', "has Infinity as papers"),
        (b"9" * 5000, "is no JSON"),
        (b"[" * 100_000, "is nested too deeply"),
        (b"[" * 40 + b"]" * 40, "is nested too deeply"),
        (changed(constants={"A": json.loads("[" * 40 + "]" * 40)}), "is nested too deeply"),
    ],
)
def test_what_does_not_is_refused_with_the_place(content, says, tmp_path):
    assert says in refusal(tmp_path / "claims.json", content)


def test_a_list_in_the_place_of_one_of_several_shapes_is_told_what_is_wrong_inside(tmp_path):
    shape = {"arguments": {...: (str, float, bool, None, [(str, float)])}}
    said = refusal(tmp_path / "config.json", {"arguments": {"flows": ["a", ["b"]]}}, shape)
    assert "has a list as arguments.flows[1], where a text or a number belongs" in said


def test_a_file_of_any_size_is_read_no_further_than_this_project_writes(tmp_path):
    path = tmp_path / "claims.json"
    with path.open("wb") as file:
        file.truncate(20 * 2**30)
    with pytest.raises(ValueError, match="is larger than"):
        read_json(path, SHAPE, remedy="remove it")


def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "claims.json")
    for name in ("claims.json", "none.json", "."):
        with pytest.raises(ValueError, match="is no file"):
            read_json(tmp_path / name, SHAPE, remedy="remove it")
