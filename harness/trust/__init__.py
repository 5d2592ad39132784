"""What lets a reader trust a record or an adapter: conformance, verify, compare, doctor."""
