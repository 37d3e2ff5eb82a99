"""Whether a map stays the same when it is made again or the picture changes slightly."""
