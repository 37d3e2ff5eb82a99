"""Opens what is no Keras file: SavedModel, TFLite, ONNX, architecture and weights apart, zip archives, models of the Hugging Face Hub."""
