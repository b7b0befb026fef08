"""Look at a run: the payload that pages read, and the pages."""
