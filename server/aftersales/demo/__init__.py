"""A small world to look at: three shops, their buyers and carriers, weeks of history, and life that goes on."""
