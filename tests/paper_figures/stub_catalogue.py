"""Papers in the place of those found in folders."""

from paper_figures.report import catalogue, report


class Installed(dict):
    """Papers by name."""

    def docstring(self, name: str) -> str:
        return self[name].__doc__


def install(monkeypatch, paper, names: tuple[str, ...] = ("paper",)):
    """The catalogue has this paper alone, under these names."""
    for module in (catalogue, report):
        monkeypatch.setattr(module, "PAPERS", Installed(dict.fromkeys(names, paper)))
    return paper
