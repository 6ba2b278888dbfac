"""Columns of the dataset as arrays: a decimal keeps its own digits, what is missing is no number."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from calcinosis_registry.reports.exhibits import OutOfScope
from calcinosis_registry.reports.frame import Columns

pytestmark = pytest.mark.once


def columns(**cells: pa.Array) -> Columns:
    length = len(next(iter(cells.values())))
    return Columns(np.arange(length), {name: pa.chunked_array([cell]) for name, cell in cells.items()})


def test_a_decimal_is_the_number_its_digits_say_and_not_its_neighbour():
    """Arrow's cast divides by ten to the scale: of some values it makes the number beside the right one."""
    told = [Decimal(number).scaleb(-places) for places in (1, 2, 4) for number in range(1, 20_000, 7)]
    for places in (1, 2, 4):
        some = [one for one in told if -one.as_tuple().exponent == places]  # type: ignore[operator]
        found = columns(size=pa.array(some, pa.decimal128(12, places))).numbers("size")
        assert found.tolist() == [float(str(one)) for one in some]


def test_a_wide_decimal_is_a_whole_number_where_it_is_one():
    found = columns(area=pa.array([Decimal("49.0000000000"), Decimal("0.1000000000"), None], pa.decimal128(20, 10)))
    assert found.numbers("area").tolist()[:2] == [49.0, 0.1] and np.isnan(found.numbers("area")[2])


def test_whole_numbers_and_doubles_are_left_as_they_are_and_nothing_is_nan():
    found = columns(n=pa.array([3, None], pa.int64()), x=pa.array([0.30000000000000004, None], pa.float64()))
    assert found.numbers("n")[0] == 3 and found.numbers("x")[0] == 0.30000000000000004
    assert np.isnan(found.numbers("n")[1]) and np.isnan(found.numbers("x")[1])


def test_a_column_the_project_does_not_have_is_not_missing():
    with pytest.raises(OutOfScope, match="size"):
        columns(n=pa.array([1])).numbers("size")
