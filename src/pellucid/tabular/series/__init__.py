"""Time series as rows to learn from: what is known at an origin, and what comes after it."""
