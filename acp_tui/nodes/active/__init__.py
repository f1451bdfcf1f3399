"""Active tests of nodes. They open listeners, write to disks or load the network, so they run only on request."""
