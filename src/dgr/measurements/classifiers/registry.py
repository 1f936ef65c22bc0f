"""All probe classifiers by name: a file of this folder is a classifier, and the file's name is its name.

A classifier's file defines ``make``, which makes it from its settings, and ``GRID``, the values of each setting that
are tried. Reports take from it, as plain values, ``LABEL`` and ``WORDS``, how a table and its notes name it, and
``ORDER``, a number: what is lower comes first.
"""

from dgr.core.registry import Registry

CLASSIFIERS = Registry("dgr.measurements.classifiers", "classifier", ("make", "GRID", "LABEL", "WORDS", "ORDER"))
