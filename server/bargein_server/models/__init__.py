"""The model that hears interruptions: what a file promises, onnxruntime, and sharing it fairly."""
