"""The page that is sent to somebody: what is in it, what is not, and that nothing in it can do anything."""

import base64
import hashlib
import math
import re
from html.parser import HTMLParser

import pytest

from runwidgets.records import ChildRecord, FileRecord, MetricKind, RunError, RunStatus
from runwidgets.watch import report
from runwidgets.watch.report import Contents, Image, report_html
from runwidgets.watch.scrubbing import Scrubber
from runwidgets.watch.view import RunView
from tests.test_wire import START, example, metric, record, vector, view_of

HOSTILE = '"><img src=x onerror=alert(1)></title></style><script>alert(2)</script>\x1b[31m\u202e'
ELEMENTS = {
    "html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "h3", "div", "span", "b", "p", "time",
    "details", "summary", "pre", "table", "thead", "tbody", "tfoot", "tr", "th", "td", "svg", "g", "path", "text",
    "figure", "figcaption", "img", "ul", "li", "footer",
}  # fmt: skip


class Page(HTMLParser):
    """What a browser finds in a page."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.attributes, self.words = set(), [], []
        self._open = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.add(tag)
        self.attributes += attributes
        self._open.append(tag)

    def handle_data(self, data):
        if self._open[-1:] != ["style"]:
            self.words.append(data)

    @property
    def text(self):
        return " ".join(self.words)


def image(data=b"", note=None, name="confusion"):
    return Image(name, 1, START, "image/png", data, note)


def test_the_page_has_all_that_the_display_has():
    images = [image(b"abc"), image(note="the file is not there")]
    page = Page(report_html(example(), START + 141, Contents(images, 2, ["one", "two", ""])))
    for part in ("digits /", "mlp baseline", "#17", "Running", "epoch 14 / 30", "ValueError", "Input X contains NaN.",
                 "Traceback", "train/loss", "⚠ 1 NaN, 1 Inf", "curve · sine", "cosine", "alpha 0.1", "3298.5",
                 "the file is not there", "model = mlp", "starred", "python", "3.11", "one\ntwo", "outputs/model.pkl",
                 "12.3 kB", "this page does not follow the run"):  # fmt: skip
        assert part in page.text, part
    assert ("src", f"data:image/png;base64,{base64.b64encode(b'abc').decode()}") in page.attributes
    assert sum(name == "viewbox" and value == "0 0 400 190" for name, value in page.attributes) == 2


def test_nothing_in_the_page_can_run_or_load_anything_whatever_its_strings_are():
    children = (ChildRecord(record("c", name=HOSTILE, parent_id="digits-17"), {HOSTILE: 1.0}),)
    view = view_of(
        vector(HOSTILE, [1.0, math.nan, 2.0]), vector("text", [HOSTILE]),
        metric(HOSTILE + "t", {HOSTILE: [1.0, 2.0], HOSTILE + "2": [1.0, 2.0], "z": [0.0, 1.0]}, kind=MetricKind.TABLE),
        metric("over", {HOSTILE: [1.0, 2.0], "y": [1.0, 2.0]}, kind=MetricKind.TABLE),
        run=record(name=HOSTILE, experiment=HOSTILE, error=RunError(HOSTILE, HOSTILE, HOSTILE), description=HOSTILE),
        children=children, files=(FileRecord(HOSTILE, 1, START),), tags={HOSTILE: HOSTILE},
        properties={HOSTILE: HOSTILE},
    )  # fmt: skip
    text = report_html(view, START, Contents([image(b"abc", name=HOSTILE)], 1, [HOSTILE]))
    page = Page(text)
    assert page.elements <= ELEMENTS
    assert not {name for name, _ in page.attributes if name.startswith("on") or name in ("style", "href", "srcset")}
    assert [value[:15] for name, value in page.attributes if name == "src"] == ["data:image/png;"]
    assert "url(" not in text.lower()
    assert "@import" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert page.text.count("onerror=alert(1)") > 12


def test_the_policy_allows_this_stylesheet_and_images_of_the_page_alone():
    text = report_html(example(), START, Contents())
    [sheet] = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    policy = re.search(r'Policy" content="([^"]+)"', text)[1]
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    assert text.index("Content-Security-Policy") < text.index("<title>")


def test_paths_secrets_and_the_process_stay_here():
    trace = 'File "/home/ada/project/train.py", line 3\nFile "/srv/data/load.py", line 4\nOSError: /srv/data/x.csv'
    view = view_of(
        vector("best", ["/home/ada/project/best.pt"]),
        vector("/srv/data/loss", [1.0, 2.0]),
        run=record(error=RunError("OSError", "no file /srv/data/x.csv", trace), description="in /home/ada/project"),
        tags={"data": "/srv/data/x.csv", "key": "token=abcdefgh"},
        properties={"folder": "/home/ada/project/sub"},
        files=(FileRecord("outputs/model.pkl", 1, START),),
    )
    scrub = Scrubber({"/home/ada": "~", "/home/ada/project": "."})
    page = Page(report_html(view, START, Contents(log=["saved /home/ada/project/x.pt"], scrub=scrub)))
    everything = page.text + " ".join(value or "" for _, value in page.attributes)
    for word in ("/home", "ada", "/srv", "abcdefgh", "4711", "laptop"):
        assert word not in everything, word
    for word in ('File "./train.py"', "…/load.py", "…/x.csv", "./best.pt", "./x.pt", "outputs/model.pkl", "token=•••"):
        assert word in everything, word


def test_what_is_too_much_is_left_out_and_counted(monkeypatch):
    monkeypatch.setattr(report, "MAX_CHARTS", 3)
    monkeypatch.setattr(report, "MAX_CHILDREN", 2)
    monkeypatch.setattr(report, "MAX_IMAGES", 2)
    monkeypatch.setattr(report, "MAX_IMAGE_BYTES", 10)
    children = tuple(ChildRecord(record(f"c{i}", name=f"child {i}", number=i), {"mse": float(i)}) for i in range(5))
    view = view_of(*(vector(f"m{i}", [1.0, 2.0]) for i in range(5)), children=children)
    images = [image(b"1234"), image(b"1234567"), image(b"1"), image(b"1")]
    text = report_html(view, START, Contents(images, 9, ["x"] * 900))
    page = Page(text)
    for words in ("3 of 5 charts", "2 of 5 child runs, the latest", "1 of 9 images, the newest"):
        assert words in page.text
    assert "child 4" in page.text
    assert "child 2" not in page.text
    assert len(re.findall(r"\bx\b", page.text)) == report.MAX_LOG_LINES


def test_the_least_and_the_most_of_each_column_of_children_are_marked():
    children = tuple(
        ChildRecord(record(f"c{i}", name=f"child {i}"), {"mse": mse}) for i, mse in enumerate((3.5, 1.25, 2))
    )
    text = report_html(view_of(children=children), START, Contents())
    assert re.findall(r'<td class="best">([^<]+)', text) == ["3.5", "1.25"]
    assert re.findall(r">(lowest|highest)</td><td></td><td>([^<]+)", text) == [("lowest", "1.25"), ("highest", "3.5")]


@pytest.mark.parametrize("view", [RunView(), view_of(), view_of(run=record(status=RunStatus.QUEUED, started_at=None))])
def test_a_run_that_has_nothing_yet_is_a_page_all_the_same(view):
    page = Page(report_html(view, START, Contents()))
    assert view.status.value in page.text
    assert "Metrics" not in page.text


def test_a_run_that_is_over_has_no_words_about_going_on():
    over = view_of(run=record(status=RunStatus.COMPLETED, ended_at=START + 9))
    text = Page(report_html(over, START + 99, Contents())).text
    assert "does not follow" not in text
    assert "ran 00:00:08" in text


def test_a_long_table_is_folded_up_and_nothing_of_it_is_missing():
    view = view_of(*(vector(f"metric {i:02}", [float(i)]) for i in range(60)))
    first, rest = report_html(view, START, Contents()).split("<summary>36 more</summary>")
    assert first.count('scope="row"') == 24
    assert "metric 59" in rest
