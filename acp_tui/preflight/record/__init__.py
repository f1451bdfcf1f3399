"""Save what the nodes answered, without secrets and addresses, and judge it again offline."""
