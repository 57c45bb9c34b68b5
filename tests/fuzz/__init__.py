"""Coverage-guided fuzzing of everything that reads bytes or text from strangers: ``make fuzz``.

:mod:`.targets` says what must hold of any input; :mod:`.seeds` where the fuzzer starts from; :mod:`.run` fuzzes one
target; ``python -m tests.fuzz`` all of them, each for a number of inputs and a time.
"""
