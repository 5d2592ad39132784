"""What several tests need: optima by HiGHS, random LPs, ranks as threads, child processes, records and adapters."""
