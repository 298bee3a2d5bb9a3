"""A quality scorer: what a reader of a few thousand files thought of them, learned and said of all files.

Labels (a Parquet file, or a teacher's) teach a linear model over hashed n-grams and signals, one for all languages and a
correction for each that has labels enough; its scores are calibrated on labels that it did not see.
"""
