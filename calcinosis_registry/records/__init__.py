"""How a record is edited: one model base, one form, one view and one admin base for every clinical record."""
