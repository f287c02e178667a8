"""Well-known networks by family, as bare structures whose weights are left blank."""
