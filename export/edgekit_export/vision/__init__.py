"""Vision towers and connectors as ONNX graphs: a picture in, embeddings of its tokens out."""
