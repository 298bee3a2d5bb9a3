"""Text in, training files out: collection, filters, deduplication, decontamination, tokens and packs. No Luigi, no torch."""


class SchemaError(Exception):
    """A file lacks what its record promises: the message names the file, what was found and the next step."""
