"""Import nodes from a pasted list, an Ansible inventory or a CSV file.

The functions only parse text. They resolve no names and run no programs.
"""
