"""The packet filter rules of a node: their types and the parsers of `nft` and `iptables-save` lists."""
