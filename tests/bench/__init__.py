"""The figures of `make bench`: every module here with `run(bench)` measures something and says what was wanted."""
