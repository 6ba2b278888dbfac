"""One module per format: a table in, a file out."""
