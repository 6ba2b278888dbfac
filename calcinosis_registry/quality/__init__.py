"""Can we trust it: findings of the checks become data queries, opened and closed by rules or by hand."""
