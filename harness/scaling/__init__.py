"""One case over many ranks: launch, run, record, model and plan."""
