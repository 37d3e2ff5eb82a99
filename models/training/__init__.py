"""Training: settings, schedules, losses, the loop over epochs, and checkpoints from which a killed run resumes exactly."""
