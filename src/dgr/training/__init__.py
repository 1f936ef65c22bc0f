"""From a configuration to finished runs: model, loop, checkpoint, evaluation, records, stages."""
