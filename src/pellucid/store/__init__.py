"""Runs, artefacts and models on disk: MLflow, embedded by default."""
