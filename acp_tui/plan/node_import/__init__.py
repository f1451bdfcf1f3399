"""Import nodes from a pasted list, an Ansible inventory or a CSV file. Pure: no name is resolved, nothing is run."""
