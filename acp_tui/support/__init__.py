"""One archive for whoever helps: what happened, without the secrets."""
