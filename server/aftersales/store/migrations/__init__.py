"""Versioned changes of the schema, in order."""
