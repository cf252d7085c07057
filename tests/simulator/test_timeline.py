"""Tests for :mod:`twistedvoice.simulator.timeline`."""

from __future__ import annotations

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.patches import ConnectionPatch
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from twisted.trial.unittest import SynchronousTestCase

from tests.simulator.calls import finished_call
from twistedvoice.simulator.journal import Journal
from twistedvoice.simulator.report import report
from twistedvoice.simulator.timeline import draw, picture


def label_boxes(figure: Figure) -> list[Bbox]:
    """:returns: where the words lie that hang on lines, in pixels."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return [
        text.get_window_extent(canvas.get_renderer())
        for panel in figure.axes[:2]
        for text in panel.texts
        if text.get_text().strip()
    ]


class PictureTests(SynchronousTestCase):
    """What is in the picture."""

    def setUp(self) -> None:
        """A busy call."""
        self.journal = finished_call()
        for number in range(6):
            self.journal.note(14_000.0 + 90 * number, "digit", str(number))
        self.journal.underruns.append((15_000.0, 61.0))

    def words(self) -> set[str]:
        """:returns: all text of the picture."""
        figure = picture(self.journal, report(self.journal))
        return {text.get_text().strip() for text in figure.findobj(Text)}

    def test_labels(self) -> None:
        """Outcome, figures and events are named."""
        self.assertLessEqual(
            {
                "Call completed",
                "22.0 s",
                "first audio",
                "caller",
                "service",
                "key #",
                "interrupts",
                "clears 80 ms",
                "utterance-0 heard",
                "underrun 61 ms",
                "1160 ms",
            },
            self.words(),
        )

    def test_verdict(self) -> None:
        """The sentence under the outcome tells lateness and failure apart."""
        self.assertIn("some of what the caller heard came late", self.words())
        self.journal.underruns.clear()
        self.assertIn("every frame in time", self.words())
        self.journal.outcome = "lost"
        self.assertIn("the call did not go to its planned end", self.words())

    def test_answers(self) -> None:
        """An arrow leads from the caller's end to each answer at the ear."""
        figure = picture(self.journal, report(self.journal))
        ends = [
            (patch.xy1[0], patch.xy2[0])
            for patch in figure.patches + figure.artists
            if isinstance(patch, ConnectionPatch)
        ]
        self.assertEqual(ends, [(7.0, 8.16), (12.5, 13.46)])

    def test_labels_do_not_overlap(self) -> None:
        """No label covers another or leaves the picture."""
        figure = picture(self.journal, report(self.journal))
        boxes = label_boxes(figure)
        self.assertGreater(len(boxes), 15)
        for place, box in enumerate(boxes):
            self.assertEqual(box.count_overlaps(boxes[place + 1 :]), 0)
            self.assertLess(box.x1, figure.bbox.x1)

    def test_crowd(self) -> None:
        """Of too many labels in one place some stay lines without words."""
        for number in range(200):
            self.journal.note(18_000.0 + number, "digit", "1")
        boxes = label_boxes(picture(self.journal, report(self.journal)))
        self.assertLess(len(boxes), 40)


class DrawTests(SynchronousTestCase):
    """The file."""

    def test_file(self) -> None:
        """The picture is a PNG of a size for a slide."""
        path = self.mktemp()
        journal = finished_call()
        draw(journal, report(journal), path)
        height, width, _ = imread(path, format="png").shape
        self.assertEqual((width, height), (2040, 1147))

    def test_call_that_never_was(self) -> None:
        """A call in which nothing happened has a picture too."""
        path = self.mktemp()
        journal = Journal(outcome="refused")
        draw(journal, report(journal), path)
        self.assertEqual(imread(path, format="png").shape[1], 2040)
