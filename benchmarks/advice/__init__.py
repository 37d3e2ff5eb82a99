"""What following the advice is worth: pictures whose evidence is known, what every choice of a map is worth on them, and the verdict."""
