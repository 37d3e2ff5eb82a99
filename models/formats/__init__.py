"""The model formats: Keras files, SavedModel, TFLite, ONNX, zip archives, models of the Hugging Face Hub."""
