"""What a network's graph says: layers, inputs, traces."""
