"""Rows of one metric as bytes: packing, joining and cutting of blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from runwidgets.columns import Column, join
from runwidgets.records import Block
from runwidgets.values import pack, unpack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

BLOCK_ROWS: Final = 16_384
"""Rows of a full block."""
BLOCK_BYTES: Final = 2**20
"""About how many bytes a full block has at most, where rows are long."""


def pack_block(block: Block) -> bytes:
    """Give the rows of a block as bytes, without its place."""
    return pack(_fields(block))


def _fields(block: Block) -> list[Any]:
    return [
        block.steps.packed(),
        block.times.packed(),
        {name: column.packed() for name, column in block.columns.items()},
    ]


def unpack_block(first_index: int, data: bytes) -> Block:
    """Give back the block whose bytes these are."""
    return _block(first_index, unpack(data))


def _block(first_index: int, fields: Sequence[Any]) -> Block:
    steps, times, columns = fields
    return Block(first_index, Column(steps), Column(times), {name: Column(c) for name, c in columns.items()})


def pack_recent(rows: Mapping[int, Sequence[Block]]) -> bytes:
    """Give rows of several metrics, by their keys, as bytes."""
    return pack(
        [[key, block.first_index, *_fields(block)] for key, blocks in rows.items() for block in blocks if len(block)]
    )


def unpack_recent(data: bytes) -> Iterator[tuple[int, Block]]:
    """Give what `pack_recent` was given, block by block."""
    for key, first_index, *fields in unpack(data):
        yield key, _block(first_index, fields)


def join_blocks(blocks: Sequence[Block]) -> Block:
    """Give neighbouring blocks as one."""
    if len(blocks) == 1:
        return blocks[0]
    names = dict.fromkeys(name for block in blocks for name in block.columns)
    return Block(
        blocks[0].first_index,
        join([block.steps for block in blocks]),
        join([block.times for block in blocks]),
        {name: join([block.columns.get(name) or Column({"n": len(block)}) for block in blocks]) for name in names},
    )


def full_row_count(blocks: Sequence[Block]) -> int:
    """Tell how many rows a full block of such rows has: fewer where they are long."""
    size = sum(column.byte_count for block in blocks for column in (block.steps, block.times, *block.columns.values()))
    rows = sum(len(block) for block in blocks)
    return max(1, min(BLOCK_ROWS, BLOCK_BYTES * rows // max(size, 1)))


def cut_anew(blocks: Sequence[Block], row_count: int) -> Iterator[Block]:
    """Give the rows of neighbouring blocks in blocks of ``row_count``; the last may be shorter."""
    gathered: list[Block] = []
    missing = row_count
    for block in blocks:
        start = 0
        while len(block) - start >= missing:
            gathered.append(block.part(start, start + missing))
            yield join_blocks(gathered)
            start += missing
            gathered, missing = [], row_count
        if start < len(block):
            gathered.append(block.part(start))
            missing -= len(block) - start
    if gathered:
        yield join_blocks(gathered)
