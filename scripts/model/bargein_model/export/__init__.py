"""Writes the streaming ONNX graph that the server runs."""
