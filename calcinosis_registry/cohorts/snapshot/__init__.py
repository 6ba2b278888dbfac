"""The register as Parquet files: what datasets are read from (docs/decisions/0021)."""
