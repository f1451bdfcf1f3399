"""Tools that every other package uses: texts, files, locks, errors, events, retries, redaction."""
