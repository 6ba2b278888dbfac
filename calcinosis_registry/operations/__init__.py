"""Running the register: backups, health, logs, and settings that refuse to start unsafe."""
