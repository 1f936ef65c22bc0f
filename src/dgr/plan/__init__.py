"""From YAML files to the plan that both engines read."""
