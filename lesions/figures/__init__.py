"""Pictures of the patient page as SVG text, made by us: a sparkline of one lesion, the course of the patient.

Pure functions of plain numbers and words. Colours and line styles come from patient.css by class; the attributes are
the fallback where no style sheet reaches (print, PDF). No series is told by colour alone: each has its dash and point.
"""

from lesions.figures.course import NARROW, WIDE, Bar, Course, Happening, draw_course
from lesions.figures.lanes import Lane, Point, Series
from lesions.figures.scale import Span
from lesions.figures.spark import sparkline

__all__ = [
    "NARROW",
    "WIDE",
    "Bar",
    "Course",
    "Happening",
    "Lane",
    "Point",
    "Series",
    "Span",
    "draw_course",
    "sparkline",
]
