"""More bad input, of the kinds that a table of one-word changes does not show."""

import os
import subprocess
import sys

import pytest
from command_cases import OPTIONS, words

import odescent

CASES = {
    "a flow twice": (words(flows="gradient gradient"), "--flows names gradient twice"),
    "an unknown flow beside a known one": (words(flows="gradient modifed-2"), "--flows 'modifed-2' is unknown"),
    "a flow the method does not have": (words(method="nesterov-convex"), "--flows gradient: "),
    "an order below 1": (words(flows="modified-0"), "--flows modified-0: "),
    "a negative order": (words(flows="modified--2"), "--flows modified--2: "),
    "every of zero": (words(every="0"), "--every must be"),
    "a negative seed": (words(problem="digits-mlp", seed="-1"), "--seed must be at least 0"),
    "no examples": (words(problem="digits-mlp", examples="0"), "--examples must be at least 1"),
    "no examples of files": (words(problem="cifar10-mlp", examples="0", data_dir="."), "--examples must be at least 1"),
    "an activation": (words(problem="digits-mlp", activation="tnah"), "--activation 'tnah' is unknown"),
    "a criterion": (words(problem="digits-mlp", criterion="hinge"), "--criterion 'hinge' is unknown"),
    "a width of zero": (words(problem="digits-mlp", widths="8 0"), "--widths must be positive"),
    "a start that is not finite": (words(problem="digits-mlp", widths="4", gain="nan"), "--problem digits-mlp with"),
    "a loss that is not finite": (words(problem="digits-mlp", widths="4", gain="1e200"), "--problem digits-mlp with"),
    "a manifold without a flow": (words("--flows", flows=None, start="slow-manifold"), "--start 'slow-manifold' needs"),
    "a manifold out of reach": (
        words(method="heavy-ball", learning_rate="3", momentum="0.99", start="slow-manifold"),
        "--start 'slow-manifold' does not exist here",
    ),
    "a tolerance beside one that is found": (
        words(solver="auto", rtol="1e-6"),
        "--rtol is for a --solver that is named",
    ),
    "a solver for other spectra": (
        words(method="heavy-ball", momentum="0.5", flows="kovachki-stuart", solver="stabilized"),
        "--solver stabilized: ",
    ),
    "no solver steps": (words(max_steps="0"), "--max-steps must be at least 1"),
    "steps beyond 64 bits": (words(steps="1" + "0" * 20), "--steps must be at most 9223372036854775807"),
    "steps beyond 32 bits": (
        words(steps="9000000000", every="9000000000", precision="float32"),
        "--steps must be at most 2147483647",
    ),
    "samples beyond memory": (
        words(steps="1" + "0" * 15),
        "--steps = 1000000000000000 and --every = 1 take 2.4e+07 GB",
    ),
    "solver steps beyond 64 bits": (words(max_steps="1" + "0" * 20), "--max-steps must be at most 9223372036854775807"),
    "widths beyond memory": (
        words(problem="digits-mlp", widths="1000000 1000000"),
        "--widths = (1000000, 1000000) takes 2.4e+04 GB of memory at least, and there are ",
    ),
    "a width beyond numbers": (words(problem="digits-mlp", widths="1" + "0" * 40), "more than 1e+30 bytes"),
    "as many layers as nothing compiles": (
        words(problem="digits-mlp", widths="2 " * 300),
        "--widths asks for 301 layers",
    ),
    "a depth that nothing compiles": (words(problem="deep-linear", depth="2000"), "--depth asks for 2000 layers"),
    "a width of a linear network": (words(problem="deep-linear", width="10000000"), "--width = 10000000 take"),
    "points beyond memory": (words(problem="chebyshev-mlp", points="1" + "0" * 12), "--points = 1000000000000 and "),
    "a degree": (words(problem="chebyshev-mlp", degree="1" + "0" * 12), "--degree must be at most 100000, got"),
    "a dimension": (words(problem="diagonal-linear", dimension="1" + "0" * 12), "--dimension = 1000000000000 take"),
    "examples": (words(problem="diagonal-linear", examples="1" + "0" * 12), "--examples = 1000000000000 and "),
    "a learning rate whose threshold is infinite": (words(learning_rate="5e-324"), "--learning-rate must lie between"),
    "a learning rate that float32 does not know": (
        words(learning_rate="1e50", precision="float32"),
        "--learning-rate must lie between",
    ),
    "a gain that overflows": (words(problem="digits-mlp", widths="4", gain="1e308"), "--problem digits-mlp with"),
    "an eigenvalue that overflows": (words(problem="quadratic", eigenvalues="1e308 1"), "--problem quadratic with"),
    "steps that are no number": (words(steps="ten"), "--steps"),
    "half a step": (words(steps="4.5"), "--steps"),
    "an eigenvalue that is none": (words(problem="quadratic", eigenvalues="nan"), "--eigenvalues must be"),
    "no problem": (words(problem=None), "missing: --problem;"),
    "a command that is none": (["comprae", *words()[1:]], "comprae"),
    "a paper that is unknown": (["figures", "cohen_2012"], "'cohen_2012' is unknown; did you mean cohen_2021"),
    "a word too many": (["problems", "quadratic"], "quadratic"),
}


@pytest.mark.parametrize("case", CASES)
def test_one_line_says_what_is_wrong_and_no_folder_is_left(case, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line, says = CASES[case]
    out = ["--out", "run"] if line[0] == "compare" else []
    assert odescent.main([*line, *out]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("odescent: ") and captured.err.count("\n") == 1
    assert says in captured.err
    assert list(tmp_path.iterdir()) == []


def test_a_learning_rate_that_is_no_number_in_a_folder_that_exists_leaves_the_run_alone(capsys, tmp_path):
    out = tmp_path / "run"
    assert odescent.main(words(out=out)) == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    for wrong in ({"learning_rate": "nan"}, {"problem": "digits-mlp", "gain": "nan"}, {"flows": "modified-0"}):
        assert odescent.main(words("--overwrite", out=out, **wrong)) == 2
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    capsys.readouterr()


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_complaint_of_the_parser_is_one_line_whatever_the_terminal_draws(encoding):
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "LC_ALL": "C", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "odescent"]

    def said(*words: str) -> str:
        return subprocess.run([*command, *words], capture_output=True, env=environment, check=False).stderr.decode()

    assert said("compare") == (
        "odescent: missing: --problem, --method, --learning-rate, --steps; see odescent compare --help\n"
    )
    assert said("comprae") == "odescent: Unrecognized options: comprae; see odescent --help\n"


def test_options_are_spelled_as_on_the_command_line():
    said = odescent.as_options("`learning_rate` and `max_steps` of\n  `Sharpness(k=...)`, not `params`")
    assert said == "--learning-rate and --max-steps of `Sharpness(k=...)`, not `params`"


def test_the_command_that_the_cases_spoil_is_good(capsys):
    assert odescent.main(words()) == 0
    assert set(OPTIONS) <= set(words())
    assert capsys.readouterr().err == ""
