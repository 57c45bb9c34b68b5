"""The pages: routes that read the index and fill a template."""
