"""How long heads are trained and on how much, wherever universality is measured; reports read it without torch."""

REFIT_SAMPLES = 1000
"""Training samples that the refitted head sees at most: with its ridge it then does as well as with four times as many
and none.
"""
MAX_ITERATIONS = 21
"""Of L-BFGS, for refitting to them."""
CHECK_EVERY = 3
"""Iterations after each of which its validation loss is looked at."""
PATIENCE = 3
"""Looks without a lower validation loss after which refitting stops."""
LABEL_COUNTS = (25, 100, 400)
"""Numbers of labels of the label-efficiency curve."""
RIDGE = 10.0
"""A head is refitted to n samples with the ridge ``RIDGE/n·½‖θ‖²``, a normal prior of variance 1/RIDGE on each weight:
without it few labels would be learnt by heart. Of 5, 10 and 20 the best for encoders of digits that were not trained
at all and heads of 25 to 400 labels.
"""
FEW_ITERATIONS = 12
"""Of refitting to few labels; more of them change the losses by about .01."""
STEPS = (1, 2, 4, 8, 16)
"""Numbers of steps after which the losses of briefly trained heads are measured."""
BATCH = 128
"""Training samples of such a step."""
LEARNING_RATE = 0.5
"""Of such a step: half of the rate at which it goes fastest for encoders of digits that were not trained at all; four
times as much is too much for every encoder.
"""
BRIEF_HEADS = 2
"""Heads that are trained briefly."""
LARGEST_SCALE = 20.0
"""Upper end of the scales of an untrained head's output that are tried, in units of its standard deviation."""
