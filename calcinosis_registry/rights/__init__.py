"""What a person may ask: everything about them in one file, who read it, an end of research, erasure."""
