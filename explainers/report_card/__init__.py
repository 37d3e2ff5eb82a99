"""Whether methods find evidence that is known, on one classifier: the cases, and the card that counts them."""
