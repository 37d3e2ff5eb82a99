"""What a lesion phantom is painted from: each part draws its numbers from a generator and paints them onto a picture."""
