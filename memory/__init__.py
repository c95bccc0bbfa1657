"""What is known: the records everybody uses, the ledger, the vector memory and the trace."""
