"""Out as a file: writers, codebook and manifest in one zip, and the ledger of what left."""
