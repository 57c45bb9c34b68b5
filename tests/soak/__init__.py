"""Soak tests: many clients use a devnet that is killed and restarted. Nothing may be lost or done twice."""
