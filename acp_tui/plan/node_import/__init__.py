"""Import nodes from a pasted list, an Ansible inventory or a CSV file.

The functions only parse text. They do not resolve host names and do not run programs.
"""
