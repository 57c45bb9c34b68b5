"""The fuzzer's targets hold for all seeds, so that fuzzing starts without findings, and for damaged seeds."""

from __future__ import annotations

import random

import pytest

from tests.fuzz import seeds
from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("target", TARGETS)
def test_targets_hold_for_all_seeds(target: str) -> None:
    inputs = seeds.of(target)
    assert len(inputs) > 10
    for data in inputs:
        TARGETS[target](data)


@pytest.mark.parametrize("target", TARGETS)
def test_targets_hold_for_damaged_seeds(target: str) -> None:
    generator = random.Random(target)  # noqa: S311 - test data
    inputs = seeds.of(target)
    for _ in range(1000):
        data = bytearray(generator.choice(inputs))
        for _ in range(generator.randint(1, 3)):
            place = generator.randrange(len(data) + 1)
            data[place : place + generator.randint(0, 2)] = generator.choice([b"", *seeds.DICTIONARY])
        TARGETS[target](bytes(data))
