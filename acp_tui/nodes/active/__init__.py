"""Active tests: they open listeners, write to disks or load the network, so they run only on request."""
