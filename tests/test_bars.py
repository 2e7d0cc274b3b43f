"""Progress bars as tqdm writes them, read back."""

import pytest

from runwidgets.watch.bars import Bar, current_bar, read_bar
from runwidgets.watch.screen import shown

BARS = {
    " 45%|████▌     | 45/100 [00:10<00:12,  4.40it/s]": Bar(45, 100, "", 12),
    "  0%|          | 0/100 [00:00<?, ?it/s]": Bar(0, 100, "", None),
    "100%|██████████| 100/100 [01:02<00:00,  1.61it/s]": Bar(100, 100, "", 0),
    "Epoch 3:  45%|████▌     | 45/100 [00:10<00:12,  4.40it/s, loss=0.12, lr=1e-3]": Bar(45, 100, "Epoch 3:", 12),
    "Epoch 3: train: 45%|#### | 45/100 [00:10<00:12, 4.4it/s]": Bar(45, 100, "Epoch 3: train:", 12),
    " 10%|█         | 1/10 [00:02<00:20,  2.27s/it]": Bar(1, 10, "", 20),
    " 10%|█         | 1/10 [00:02<1:02:03,  2.27s/batch]": Bar(1, 10, "batch", 3723),
    " 33%|###3      | 12.3M/36.9M [00:01<00:02, 11.5MB/s]": Bar(12.3e6, 36.9e6, "B", 2),
    "data.bin: 33%|###3      | 1.5k/4.5k [00:01<00:02, 1.5kB/s]": Bar(1500, 4500, "data.bin:", 2),
    " 45%|▍| 45/100 [00:10<2 days, 3:04:05,  4.40image/s]": Bar(45, 100, "image", 2 * 86400 + 11045),
    " 45%|████▌     | 45/100 [00:10<00:12]": Bar(45, 100, "", 12),
    " 45%|████▌     | 45.5/100 [00:10<00:12, 4.4it/s]": Bar(45.5, 100, "", 12),
    "Epoch 0:  50%|█████     | 5/10 [00:00<00:00, 73.66it/s, v_num=0]": Bar(5, 10, "Epoch 0:", 0),
    "45it [00:10,  4.40it/s]": Bar(45, None, "", None),
    "0it [00:00, ?it/s]": Bar(0, None, "", None),
    "reading: 45 files [00:10,  4.40 files/s]": None,
    "reading: 45files [00:10,  4.40files/s, last=a.txt]": Bar(45, None, "reading:", None),
    "45files [00:10,  4.40files/s]": Bar(45, None, "files", None),
    "12.3MB [00:10, 1.2MB/s]": Bar(12.3e6, None, "B", None),
    "": None,
    "epoch 3 of 10, loss 0.12": None,
    "45/100": None,
    "100% of it | done": None,
    "loss | 45% | 45/100 | 0.12": None,
    " 45%|████▌     | 45/100": None,
    "[00:10, 4.4it/s]": None,
    "2026-11-24 21:50:00 INFO 12 [00:10, x]": None,
    "%|%|%|%|%|" * 200: None,
    "1%|" * 700: None,
}


@pytest.mark.parametrize(("line", "bar"), BARS.items())
def test_a_line_is_read_as_a_bar_or_is_none(line, bar):
    found = read_bar(line)
    assert (found is None) == (bar is None)
    if bar is not None:
        assert (found.unit, found.seconds_left) == (bar.unit, bar.seconds_left)
        assert (found.done, found.total) == (pytest.approx(bar.done), bar.total and pytest.approx(bar.total))


def bar(name, done, total=10):
    return f"\r{name}: {done * 10:3}%|{'#' * done:10}| {done}/{total} [00:01<00:09, 1.0it/s]"


@pytest.mark.parametrize(
    ("text", "unit", "done"),
    [
        (bar("a", 1) + bar("a", 2), "a:", 2),
        (bar("a", 10) + "\n" + bar("b", 3), "b:", 3),
        (bar("a", 4) + "\nbroken off\n" + bar("b", 3), "b:", 3),
        (bar("out", 1) + "\n" + bar("in", 5) + "\x1b[A", "out:", 1),
        (bar("out", 1) + "\n" + bar("in", 10) + "\x1b[A" + bar("out", 2) + "\n" + bar("in", 1) + "\x1b[A", "out:", 2),
        (bar("a", 3) + "\nsaved\nand more\n", "a:", 3),
        ("torn 0/10 [00:01<\x1b[A\n" + bar("a", 3), "a:", 3),
    ],
    ids=["redrawn", "one after the other", "after one that was broken off", "within another",
         "within another, next round", "text after it", "torn at the beginning"],
)  # fmt: skip
def test_the_bar_that_is_drawn_now_is_found(text, unit, done):
    found = current_bar(shown(text))
    assert (found.unit, found.done) == (unit, done)


def test_where_there_is_no_bar_none_is_found():
    assert current_bar(shown("one\ntwo\n")) is None
