"""The models of the zoo, each built with random weights and written as its file."""
