"""What a field means. Depends on Django alone; imports nothing of ours."""
