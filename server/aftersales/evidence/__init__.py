"""Files that we keep as evidence: what they must be, who may open them, and for how long."""
