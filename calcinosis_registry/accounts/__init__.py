"""Who are you: accounts, second factor, sessions."""
