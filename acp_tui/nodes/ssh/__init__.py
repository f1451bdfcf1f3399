"""SSH: targets, keys, known hosts, connections, file transfer and error messages."""
