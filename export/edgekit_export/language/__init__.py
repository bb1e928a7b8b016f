"""Text models as ONNX graphs: an embedding and a decoder that share one file of weights."""
