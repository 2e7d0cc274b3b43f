"""Widgets in a server, mirrored to pages: each comm belongs to the page that its widget was made for."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

import comm
from comm.base_comm import BaseComm
from ipywidgets.widgets.widget import _instances

from runwidgets.portal.frames import pack_frame
from runwidgets.watch.viewer import current_viewer, made_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runwidgets.portal.frames import Frame, Kind

_KINDS: Final[dict[str, Kind]] = {"comm_open": "open", "comm_msg": "message", "comm_close": "close"}
_FROM_BROWSER: Final = frozenset({"update", "custom", "request_state"})


class Mirror:
    """The widgets of one page.

    Parameters
    ----------
    send
        Takes a frame for the page, from any thread.
    base
        The path of the portal.

    Attributes
    ----------
    base
        The path of the portal.
    """

    def __init__(self, send: Callable[[bytes], None], base: str = "") -> None:
        self._send = send
        self.base = base
        self._mutex = threading.Lock()
        self._comms: dict[str, PageComm] = {}

    def __len__(self) -> int:
        return len(self._comms)

    def publish(self, kind: Kind, id_: str, data: Any, metadata: Any, buffers: Sequence[bytes]) -> None:
        """Send the page a message of one of its comms."""
        self._send(pack_frame({"kind": kind, "id": id_, "data": data, "metadata": metadata or {}}, buffers))

    def add(self, comm: PageComm) -> None:
        """Take up a comm that is opened."""
        with self._mutex:
            self._comms[comm.comm_id] = comm

    def end(self) -> None:
        """Send nothing more: the page is gone."""
        self._send = _nowhere

    def clear(self) -> None:
        """Close all widgets that the page still has: those that nobody closes, such as layouts."""
        with self._mutex:
            left = list(self._comms)
        for id_ in left:
            if (widget := _instances.get(id_)) is not None:
                widget.close()

    def drop(self, comm: PageComm) -> None:
        """Forget a comm that is closed."""
        with self._mutex:
            self._comms.pop(comm.comm_id, None)

    def receive(self, frame: Frame, buffers: Sequence[memoryview]) -> None:
        """Give a message to the widget that it is for: one of this page, or nobody."""
        with self._mutex:
            found = self._comms.get(frame["id"])
        data = frame["data"]
        if found is None or frame["kind"] != "message" or not isinstance(data, dict):
            return
        if data.get("method") not in _FROM_BROWSER:
            return
        if "state" in data:
            data = {**data, "state": _allowed(data["state"], _instances.get(frame["id"])), "buffer_paths": []}
            buffers = ()
        message = {"content": {"comm_id": frame["id"], "data": data}, "buffers": list(buffers), "metadata": {}}
        with made_for(self):
            found.handle_msg(message)


def _allowed(state: Any, widget: Any) -> dict[str, Any]:
    """Give what a browser may set of what it wants to: the traits that are its own."""
    names = {"_view_count", *getattr(widget, "browser_traits", ())}
    return {name: value for name, value in state.items() if name in names} if isinstance(state, dict) else {}


def _nowhere(_frame: bytes) -> None:
    """Send a frame to nobody."""


class PageComm(BaseComm):
    """A comm whose other end is a page."""

    def __init__(self, mirror: Mirror, *args: Any, **kwargs: Any) -> None:
        self._mirror = mirror
        super().__init__(*args, **kwargs)

    def open(self, data: Any = None, metadata: Any = None, buffers: Any = None) -> None:
        """Open the other end; it is known to its page only."""
        self._mirror.add(self)
        self.publish_msg("comm_open", data=data or {}, metadata=metadata, buffers=buffers)
        self._closed = False

    def close(self, data: Any = None, metadata: Any = None, buffers: Any = None, deleting: bool = False) -> None:  # noqa: ARG002
        """Close the other end."""
        if self._closed:
            return
        self._closed = True
        self.publish_msg("comm_close", data=data or {}, metadata=metadata, buffers=buffers)
        self._mirror.drop(self)

    def publish_msg(self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **_: Any) -> None:
        """Send a message to the other end."""
        self._mirror.publish(_KINDS[msg_type], self.comm_id, data, metadata, buffers or ())


def mirror_widgets() -> None:
    """Let widgets that are made for a page belong to it; all others go where they went."""
    usual = comm.create_comm
    if getattr(usual, "mirrors_widgets", False):
        return

    def create(*args: Any, **kwargs: Any) -> BaseComm:
        viewer = current_viewer()
        return PageComm(viewer, *args, **kwargs) if isinstance(viewer, Mirror) else usual(*args, **kwargs)

    create.mirrors_widgets = True  # type: ignore[attr-defined]
    comm.create_comm = create
