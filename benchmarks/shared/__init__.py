"""What every benchmark uses: the data folder, the line about the machine, and the file of results."""
