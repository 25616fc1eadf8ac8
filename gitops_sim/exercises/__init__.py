"""Exercises: their texts and hints as data, their checks as code, what a learner has done."""
