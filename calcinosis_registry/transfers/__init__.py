"""A person who is followed elsewhere from now on: the record goes to another clinic, whole, and can come back."""
