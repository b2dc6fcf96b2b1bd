"""The face: documents in, answers out."""
