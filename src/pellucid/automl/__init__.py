"""The estimators: one call from a table to an explained model."""
