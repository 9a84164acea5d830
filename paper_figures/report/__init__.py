"""What is made of the papers: their catalogue, and the claims and figures as a page, a document and a table."""
