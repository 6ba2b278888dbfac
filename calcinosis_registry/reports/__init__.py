"""Out as a picture: numbers from the dataset (pure), figures from the numbers (pure), pages."""
