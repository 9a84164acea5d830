"""What is made of the papers: their catalogue, and the claims and figures as a page, a document and a table."""

from .report import list_papers as list_papers, make_figures as make_figures
