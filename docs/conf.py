"""Sphinx settings: the README and the docstrings as pages."""

project = "odescent"
author = "The odescent founders"
copyright = "2026, The odescent founders"
extensions = ["myst_parser", "sphinx.ext.autodoc"]
autodoc_member_order = "bysource"
exclude_patterns = ["_build"]
html_theme = "alabaster"
suppress_warnings = ["myst.xref_missing", "myst.header"]


def as_written(*event):
    """Docstrings are plain text with formulas: shown as they stand, |x| is no substitution."""
    lines = event[-1]
    lines[:] = ["::", "", *("    " + line for line in lines), ""]


def setup(app):
    """Connect the above."""
    app.connect("autodoc-process-docstring", as_written)
