"""Published figures, reproduced, and the claims of their papers, judged by measurement."""
