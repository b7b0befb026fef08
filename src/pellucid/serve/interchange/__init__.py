"""The predictor as an ONNX graph, for runtimes that have no Python."""
