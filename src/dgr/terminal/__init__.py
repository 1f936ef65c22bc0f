"""What a person sees of the pipeline in a terminal."""
