"""What every experiment stands on: tasks, a student that learns in seconds, arms that differ in one thing."""
