"""Everything that listens: the two ports, who may connect, the process around them."""
