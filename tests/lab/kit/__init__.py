"""The lab: real sshd nodes in network namespaces, their profiles and faults."""
