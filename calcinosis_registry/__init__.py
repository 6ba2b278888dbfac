"""The platform of the calcinosis registry."""

__version__ = "0.1.0"
