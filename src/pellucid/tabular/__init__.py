"""What the data is: reading, column kinds, featurization, and the lineage of every feature."""
