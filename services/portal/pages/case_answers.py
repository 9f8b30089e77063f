"""What the desk answered, as a page goes on with it: done, or a problem that says what stands against it."""

from services.api.codes import Code
from services.api.problems import AnswerProblem, refused
from services.control.desk.orders import Answer, Declined, Done, KeyReused, NoSuchCase, Overtaken
from services.control.docket.filed import Filed


def done_or_problem(answer: Answer) -> Filed:
    """The case after an action that took place.

    Raises:
        AnswerProblem: it did not; ``Declined`` with everything that is to be corrected.
    """
    match answer:
        case Done(filed):
            return filed
        case Declined():
            raise refused(answer.problems)
        case Overtaken():
            raise AnswerProblem(Code.OVERTAKEN)
        case KeyReused():
            raise AnswerProblem(Code.KEY_REUSED)
        case NoSuchCase():
            raise AnswerProblem(Code.NOT_FOUND)
