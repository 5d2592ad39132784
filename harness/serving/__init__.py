"""What serving from the prices of a sample costs: measured on the sources that were not in it."""
