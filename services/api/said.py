"""Problems of the rules in the language of the reader: the rules say them in English, and so to Chinese."""

from services.api.said_in_chinese import CHINESE
from services.control.cases.words import Problem
from services.control.catalogue.vocabulary import Language


def problem_in(problem: Problem, language: Language) -> Problem:
    """The problem in a language; what nobody has said in Chinese stays as the rule said it."""
    if language is Language.EN or problem.code not in CHINESE:
        return problem
    what, remedy = CHINESE[problem.code]
    return Problem(problem.code, problem.field, what, remedy)
