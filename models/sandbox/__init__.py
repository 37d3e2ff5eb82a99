"""A stranger's model file: looked at before anything is built, and opened and asked only in a process that can reach nothing."""
