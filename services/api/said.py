"""Problems of the rules in the language of the reader: the rules say them in English, and so to Chinese."""

from typing import Final

from services.api.said_in_chinese import CHINESE
from services.api.said_of_texts import in_chinese
from services.control.cases.words import Problem
from services.control.catalogue.vocabulary import Language

OF_FILES: Final = "LINE"
"""The code of what is wrong with a line of a file; its field is the line."""
_WRONG: Final = ("此处内容有误", "请更正此处")


def problem_in(problem: Problem, language: Language) -> Problem:
    """The problem in a language; what nobody has said in Chinese stays as the rule said it."""
    if language is Language.EN:
        return problem
    if problem.code == OF_FILES:
        what, remedy = in_chinese(problem.what), in_chinese(problem.remedy)
        return Problem(problem.code, problem.field, what or _WRONG[0], remedy or _WRONG[1])
    if problem.code not in CHINESE:
        return problem
    what, remedy = CHINESE[problem.code]
    return Problem(problem.code, problem.field, what, remedy)
