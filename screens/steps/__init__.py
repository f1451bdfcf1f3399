"""The steps of the wizard, in one order (order.py)."""
