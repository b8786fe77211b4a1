"""Files to values. Readers say what they found and where; they know no command line."""
