"""The classifiers that are put on frozen representations: a file a classifier."""
