"""Files: models and checkpoints, each replaced as a whole."""
