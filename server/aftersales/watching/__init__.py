"""What one can watch of a server: figures, traces, and which request a line of the log belongs to."""
