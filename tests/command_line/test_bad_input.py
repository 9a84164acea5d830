"""Bad input: one line on standard error that names the option, exit status 2, nothing on standard output, no folder."""

import gzip
import struct

import jax
import pytest

import odescent

GOOD = {
    "--problem": "two-valleys",
    "--method": "gradient-descent",
    "--learning-rate": "0.1",
    "--steps": "20",
    "--every": "10",
    "--flows": "gradient",
}

CASES = {
    "unknown problem": ({"--problem": "two-valeys"}, ["--problem", "two-valleys"]),
    "unknown method": ({"--method": "gradent-descent"}, ["--method", "gradient-descent"]),
    "unknown flow": ({"--flows": "modifed-2"}, ["--flows", "modified-2"]),
    "negative learning rate": ({"--learning-rate": "-0.1"}, ["--learning-rate", "-0.1"]),
    "NaN learning rate": ({"--learning-rate": "nan"}, ["--learning-rate", "nan"]),
    "zero learning rate": ({"--learning-rate": "0"}, ["--learning-rate"]),
    "a word for the learning rate": ({"--learning-rate": "fast"}, ["--learning-rate", "fast"]),
    "momentum of 1": ({"--method": "heavy-ball", "--momentum": "1"}, ["--momentum", "[0, 1)"]),
    "negative momentum": ({"--method": "nesterov", "--momentum": "-0.5"}, ["--momentum", "[0, 1)"]),
    "momentum of gradient descent": ({"--momentum": "0.5"}, ["--momentum", "gradient-descent"]),
    "beta2 of 1": ({"--method": "rmsprop", "--beta2": "1"}, ["--beta2", "[0, 1)"]),
    "negative epsilon": ({"--method": "scalar-rmsprop", "--epsilon": "-1"}, ["--epsilon", "-1"]),
    "bias correction of gradient descent": ({"--bias-correction": "True"}, ["--bias-correction", "gradient-descent"]),
    "a flow that rmsprop does not have": ({"--method": "rmsprop"}, ["GradientFlow", "RMSProp"]),
    "no strong convexity": ({"--method": "nesterov-strongly-convex"}, ["--strong-convexity"]),
    "zero steps": ({"--steps": "0"}, ["--steps"]),
    "negative steps": ({"--steps": "-5"}, ["--steps"]),
    "every that does not divide": ({"--every": "7"}, ["--every", "--steps"]),
    "every beyond the steps": ({"--every": "40"}, ["--every", "--steps"]),
    "a flow the method does not have": ({"--method": "nesterov-convex"}, ["GradientFlow", "schedule"]),
    "an order below 1": ({"--flows": "modified-0"}, ["order"]),
    "an order that does not exist": ({"--flows": "modified-99"}, ["order"]),
    "a setting of another problem": ({"--widths": "32"}, ["--widths", "two-valleys"]),
    "no data folder": ({"--problem": "mnist-mlp"}, ["--data-dir", "MNIST"]),
    "a negative number of eigenvalues": ({"--top": "-1"}, ["--top"]),
    "an unknown precision": ({"--precision": "float16"}, ["--precision", "float64"]),
    "a tolerance above 1": ({"--rtol": "2"}, ["--rtol"]),
    "an unknown option": ({"--lerning-rate": "0.1"}, ["--lerning-rate"]),
}


def arguments(changes: dict[str, str], out=None) -> list[str]:
    options = GOOD | changes | ({"--out": str(out)} if out else {})
    return ["compare", *(word for pair in options.items() for word in pair)]


@pytest.fixture(autouse=True)
def no_data_and_the_same_precision(monkeypatch):
    monkeypatch.delenv("ODESCENT_DATA", raising=False)
    yield
    jax.config.update("jax_enable_x64", True)


def complaint(capsys, words: list[str]) -> str:
    assert odescent.main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


@pytest.mark.parametrize("case", CASES)
def test_one_line_names_the_option_and_nothing_is_left_behind(case, capsys, tmp_path):
    changes, words = CASES[case]
    said = complaint(capsys, arguments(changes, tmp_path / "run"))
    assert all(word in said for word in words), said
    assert not (tmp_path / "run").exists()


def test_the_command_used_by_all_cases_is_good_without_its_fault(capsys):
    assert odescent.main(arguments({"--top": "0"})) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("words", "named"),
    [([], "subcommand"), (["compere"], "compere"), (["compare", "--problem", "two-valleys"], "--learning-rate")],
)
def test_a_command_line_that_does_not_parse_is_one_line_too(words, named, capsys):
    assert named in (complaint(capsys, words) + " subcommand" * (not words))


def test_a_folder_with_something_in_it_is_not_touched(capsys, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    assert "--overwrite" in complaint(capsys, arguments({}, tmp_path))
    said = complaint(capsys, [*arguments({}, tmp_path), "--overwrite"])
    assert "--out" in said
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_file_in_the_way_of_the_folder_is_named(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    assert "--out" in complaint(capsys, arguments({}, tmp_path / "file" / "run"))


def test_resume_needs_a_run_and_excludes_overwrite(capsys, tmp_path):
    assert "--resume" in complaint(capsys, [*arguments({}, tmp_path / "run"), "--resume"])
    assert "--overwrite" in complaint(capsys, [*arguments({}, tmp_path / "run"), "--resume", "--overwrite"])


def test_missing_and_truncated_cifar_files_are_named(capsys, tmp_path):
    changes = {"--problem": "cifar10-mlp", "--data-dir": str(tmp_path)}
    assert "data_batch_1" in complaint(capsys, arguments(changes))
    (tmp_path / "data_batch_1.bin").write_bytes(bytes(3073 + 100))
    said = complaint(capsys, arguments(changes))
    assert "data_batch_1.bin" in said
    assert "3173" in said


def test_missing_and_truncated_mnist_files_are_named(capsys, tmp_path):
    changes = {"--problem": "mnist-mlp", "--data-dir": str(tmp_path)}
    assert "train-images" in complaint(capsys, arguments(changes))
    header = struct.pack(">IIII", 2051, 5, 28, 28)
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(header + bytes(28)))
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(struct.pack(">II", 2049, 5) + bytes(5)))
    assert "train-images-idx3-ubyte.gz" in complaint(capsys, arguments(changes | {"--examples": "5"}))
