"""Nodes out of what people have: a pasted list, an Ansible inventory, a CSV. Pure; nothing is looked up or run."""
