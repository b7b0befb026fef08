"""Exact Shapley values of additive models; knows nothing of AutoML."""
