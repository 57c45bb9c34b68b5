"""What each page shows: routes that ask the index and fill a template."""
