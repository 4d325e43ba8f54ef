"""Facts and rules: pure values and functions. No I/O, no threads, no clock."""
