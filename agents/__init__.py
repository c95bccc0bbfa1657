"""The teachers: probe, diagnose, generate and critique; the LangGraph loop and the command line."""
