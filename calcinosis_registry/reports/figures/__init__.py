"""Charts as SVG text. Pure: numbers and words in, a picture out."""

from calcinosis_registry.reports.figures.bars import Bar, bars, columns, stacked
from calcinosis_registry.reports.figures.curves import (
    Line,
    Point,
    Step,
    lines,
    step_curves,
    ticks_of,
)
from calcinosis_registry.reports.figures.funnel import Place, funnel
from calcinosis_registry.reports.figures.persons import Course, Drop, Swimmer, swimmers, waterfall

__all__ = [
    "Bar",
    "Course",
    "Drop",
    "Line",
    "Place",
    "Point",
    "Step",
    "Swimmer",
    "bars",
    "columns",
    "funnel",
    "lines",
    "stacked",
    "step_curves",
    "swimmers",
    "ticks_of",
    "waterfall",
]
