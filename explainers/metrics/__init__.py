"""What judges explanations: one file a measure, pure functions of raw maps."""
