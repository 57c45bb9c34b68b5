"""What each event changes, a module for each contract; importing one registers its rules."""
