"""A TensorFlow.js graph model as a source: read, and written as ONNX."""
