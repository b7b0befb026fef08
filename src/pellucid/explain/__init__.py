"""Explain a model: the Explanation object and the predictor that makes it."""
