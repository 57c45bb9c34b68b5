"""Coverage-guided fuzzing of everything that reads bytes or text from untrusted sources: ``make fuzz``.

``targets`` defines what must hold for any input, ``seeds`` the inputs that the fuzzer starts from, and ``run`` fuzzes
one target. ``python -m tests.fuzz`` fuzzes all of them, each for a number of inputs and a time.
"""
