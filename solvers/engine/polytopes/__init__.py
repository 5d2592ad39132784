"""The arithmetic of the polytopes in compiled code, one file a technology; kinds.py has the numbers of the kinds."""
