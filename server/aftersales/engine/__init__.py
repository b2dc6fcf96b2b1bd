"""The rules themselves: pure, synchronous, standard library only."""
