"""The tree of exceptions, as written and as it is."""

from __future__ import annotations

import inspect

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice import errors
from twistedvoice.errors import CarrierApiError, ConfigError, RequestRefused


def drawn_tree() -> dict[str, str]:
    """:returns: the parent of each exception, as the module's docstring draws it."""
    above, parents = dict[int, str](), dict[str, str]()
    for line in (errors.__doc__ or "").split("::\n")[1].splitlines():
        name = line.strip(" │├└─")
        if name:
            depth = line.index(name)
            above[depth] = name
            nearer = [other for other in above if other < depth]
            parents[name] = above[max(nearer)] if nearer else "Exception"
    return parents


class ErrorsTests(SynchronousTestCase):
    """What every error of ours has."""

    def test_tree(self) -> None:
        """The tree in the docstring is the tree of the classes, with all of them."""
        classes = {
            name: each.__mro__[1].__name__
            for name, each in vars(errors).items()
            if inspect.isclass(each) and issubclass(each, Exception)
        }
        self.assertEqual(drawn_tree(), classes)
        self.assertEqual(sorted(classes), errors.__all__)

    def test_sentences(self) -> None:
        """Each class says to an operator, in one sentence, what went wrong."""
        for name in errors.__all__:
            sentence = inspect.cleandoc(getattr(errors, name).__doc__)
            self.assertRegex(sentence, r"^[A-Z][^\n]*\.$")

    def test_problems(self) -> None:
        """A configuration error tells all problems, each on a line of its own."""
        error = ConfigError(["one is wrong", "two is not known"])
        self.assertEqual(str(error), "one is wrong\ntwo is not known")
        self.assertEqual(error.problems, ("one is wrong", "two is not known"))

    def test_refusal(self) -> None:
        """A refusal has its one word, and 403 unless told otherwise."""
        self.assertEqual(
            (str(RequestRefused("signature")), RequestRefused("signature").status),
            ("signature", 403),
        )
        self.assertEqual(RequestRefused("method", 405).status, 405)

    def test_carrier_api_error(self) -> None:
        """A refusal by the carrier's API says whether to try again."""
        error = CarrierApiError("busy", status=429, code=20429, retryable=True)
        self.assertEqual(
            (error.status, error.code, error.retryable), (429, 20429, True)
        )
