"""Score and explain rows, in one object, over HTTP, or from a folder that is shipped."""
