"""The studio: a store's runs in the browser, served to this machine alone."""
