"""Messages of comms as frames."""

import contextlib
import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runwidgets.errors import UserError
from runwidgets.portal.frames import pack_frame, unpack_frame


@given(
    st.text(max_size=20),
    st.recursive(st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(), st.lists, max_leaves=5),
    st.lists(st.binary(max_size=40), max_size=4),
)
def test_a_frame_comes_out_as_it_went_in(name, data, buffers):
    frame = {"kind": "message", "id": name, "data": data, "metadata": None}
    found, parts = unpack_frame(pack_frame(frame, buffers))
    assert found == frame
    assert [bytes(part) for part in parts] == buffers


@given(st.binary(max_size=200))
def test_whatever_a_browser_sends_is_a_frame_or_refused(data):
    with contextlib.suppress(UserError):
        unpack_frame(data)


@given(st.dictionaries(st.sampled_from(["kind", "id", "data", "buffers"]), st.none() | st.integers() | st.text()))
def test_a_header_that_is_no_frame_s_is_refused(head):
    packed = json.dumps(head).encode()
    with pytest.raises(UserError, match="not of the form"):
        unpack_frame(struct.pack("<I", len(packed)) + packed)


def test_a_frame_whose_lengths_do_not_fit_is_refused():
    whole = pack_frame({"kind": "message", "id": "a", "data": None, "metadata": None}, [b"12345"])
    for cut in (whole[:-1], whole + b"6", whole[:6], b""):
        with pytest.raises(UserError):
            unpack_frame(cut)
