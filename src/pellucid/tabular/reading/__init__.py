"""Reading the cells of a column as numbers, truth values, labels, texts or moments in time.

Every reader looks at one cell at a time, so that a row reads the same alone or in a batch.
"""
