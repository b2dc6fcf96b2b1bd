"""The documents that code gives: `python -m aftersales.reference` writes them into the folder `docs`."""
