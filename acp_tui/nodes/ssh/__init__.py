"""SSH to the nodes: logins, keys, known hosts, connections, file transfer and error messages."""
