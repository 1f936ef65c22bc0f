"""What is measured beside a run: probes, universality, embedding, sweeps, cost, estimates."""
