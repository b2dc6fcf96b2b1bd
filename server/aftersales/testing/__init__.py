"""For those who write plugins: `from aftersales.testing import *` in a test file checks that a plugin keeps its word.

Beside the checks: a whole server in the process of the test, its clock, its bank and its shelf.
"""

from .conformance import (
    pytest_generate_tests,
    test_details_survive_json,
    test_each_act_of_a_person_has_a_mutation,
    test_each_mutation_is_described,
    test_each_mutation_performs_an_act,
    test_each_problem_code_stands_in_the_readme,
    test_the_picture_in_the_readme_is_the_table,
)
from .fakes import Bank, FakeClock, Shelf
from .house import AGENT, BUYER, CARRIER, SELLER, Home, house, line

__all__ = [
    "AGENT",
    "BUYER",
    "CARRIER",
    "SELLER",
    "Bank",
    "FakeClock",
    "Home",
    "Shelf",
    "house",
    "line",
    "pytest_generate_tests",
    "test_details_survive_json",
    "test_each_act_of_a_person_has_a_mutation",
    "test_each_mutation_is_described",
    "test_each_mutation_performs_an_act",
    "test_each_problem_code_stands_in_the_readme",
    "test_the_picture_in_the_readme_is_the_table",
]
