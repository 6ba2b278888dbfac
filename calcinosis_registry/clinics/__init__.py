"""What may you see and do: clinics, memberships, the access table (roles.py) and visible_to() (policy.py)."""
