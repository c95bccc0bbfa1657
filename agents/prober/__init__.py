"""An agent that looks for what the student cannot do: it designs probes, follows up, and ends with evidence."""
