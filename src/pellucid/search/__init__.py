"""Find the best ensemble of explainable models within a time budget."""
