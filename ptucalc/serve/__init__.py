"""A server on loopback that speaks the wire formats of Azure OpenAI and OpenAI v1 (extra `ptucalc[emulate]`)."""
