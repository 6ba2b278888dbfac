"""What happened: traced models and the trail of events.

The actor is copied as plain values, so this room imports nobody.
"""
