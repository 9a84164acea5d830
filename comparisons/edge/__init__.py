"""What models of the edge of stability predict beside what a run does."""
