"""What every part of the project builds on: configuration, files, seeds, tasks, provenance."""
