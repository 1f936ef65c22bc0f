"""What a YAML file may say, and reading the plan."""
