"""What was seen and done: lesions through time, imaging, treatments, complications."""
