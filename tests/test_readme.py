"""The README's example runs, and prints what the README says it prints."""

import re
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(), flags=re.DOTALL)


def test_the_example_prints_what_the_readme_says(capsys):
    exec(compile(blocks("python")[0], str(README), "exec"), {})
    assert capsys.readouterr().out == blocks("text")[0]


def test_the_readme_stays_short_and_names_the_two_commands():
    text = README.read_text()
    assert len(text.splitlines()) < 150
    assert "make demo" in text
    assert "make test" in text
