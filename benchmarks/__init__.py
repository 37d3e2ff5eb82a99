"""Speed and truth, measured by commands that anyone can run again; every table names the machine that made it."""
