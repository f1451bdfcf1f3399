"""The packages of the vendor. This package finds, verifies and unpacks them."""
