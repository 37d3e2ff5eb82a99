"""Pictures to train and judge classifiers on."""
