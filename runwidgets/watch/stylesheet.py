"""The stylesheet of a page that `runwidgets.watch.report` makes, and the policy that lets the page do nothing else."""

from __future__ import annotations

import base64
import hashlib
from typing import Final

from runwidgets.watch.wire import SERIES_COLORS

_LIGHT: Final = """
--bg: #fff; --fg: #1f2328; --muted: #5c6570; --line: #dfe2e6; --soft: #f6f7f8; --rw-warn: #a86400;
--active: #3b76d6; --done: #2f9e6b; --failed: #c8383f; --canceled: #8b949e; --silent: #d98a00; --waiting: #8b949e;
--bad-words: #b3262d;
"""
_DARK: Final = """
--bg: #17191d; --fg: #e6e8eb; --muted: #9aa4b0; --line: #33383f; --soft: #1f2227; --rw-warn: #e8a33d;
--active: #6ea0f0; --done: #4cc38a; --failed: #f0696f; --canceled: #8b949e; --silent: #e8a33d; --waiting: #8b949e;
--bad-words: #ff8f94;
"""
_SERIES: Final = " ".join(f"--rw-series-{place}: {color};" for place, color in enumerate(SERIES_COLORS))
_LIFTED: Final = " ".join(
    f"--rw-series-{place}: color-mix(in oklab, #fff 25%, {color});" for place, color in enumerate(SERIES_COLORS)
)

SHEET: Final = f"""
:root {{ color-scheme: light; {_LIGHT} {_SERIES} }}
@media screen and (prefers-color-scheme: dark) {{ :root {{ color-scheme: dark; {_DARK} {_LIFTED} }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; background: var(--bg); color: var(--fg); font: 14px/1.5 system-ui, sans-serif; }}
main {{ max-width: 1240px; margin: 0 auto; padding: 20px 24px 40px; }}
h1 {{ margin: 0; font-size: 19px; line-height: 1.35; overflow-wrap: anywhere; }}
h1 .of {{ color: var(--muted); font-weight: 400; }}
h2 {{ margin: 30px 0 8px; padding-bottom: 4px; border-bottom: 1px solid var(--line); font-size: 15px; }}
h2 span, h3 span {{ margin-left: 6px; color: var(--muted); font-weight: 400; }}
h3 {{ margin: 0 0 4px; font-size: 13px; overflow-wrap: anywhere; }}
p {{ margin: 6px 0; }}
.state {{ display: flex; flex-wrap: wrap; gap: 2px 20px; margin: 6px 0 0; }}
.state b {{ font-weight: 600; }}
.dot {{ margin-right: 6px; }}
.active {{ color: var(--active); }} .done {{ color: var(--done); }} .failed {{ color: var(--failed); }}
.canceled {{ color: var(--canceled); }} .silent {{ color: var(--silent); }} .waiting {{ color: var(--waiting); }}
.muted, .note {{ color: var(--muted); }}
.warn {{ color: var(--rw-warn); }}
.note {{ font-size: 12.5px; }}
.error {{ margin: 14px 0 0; padding: 8px 12px; border: 1px solid var(--failed); border-left-width: 4px;
  border-radius: 4px; overflow-wrap: anywhere; white-space: pre-wrap; }}
.error b {{ color: var(--bad-words); }}
details {{ margin: 8px 0; }}
summary {{ cursor: pointer; color: var(--muted); }}
pre {{ margin: 6px 0; padding: 8px 12px; overflow-x: auto; border-radius: 4px; background: var(--soft);
  font: 12px/1.5 ui-monospace, monospace; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
th, td {{ padding: 3px 14px 3px 0; border-bottom: 1px solid var(--line); text-align: right; vertical-align: baseline;
  white-space: nowrap; }}
thead th {{ color: var(--muted); font-weight: 400; }}
tbody th {{ font-weight: 500; }}
.l {{ text-align: left; }}
.words {{ max-width: 34em; white-space: normal; overflow-wrap: anywhere; }}
tfoot td {{ border-bottom: 0; color: var(--muted); }}
.best {{ font-weight: 700; }}
.charts {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 340px), 1fr)); gap: 22px 24px; }}
.chart {{ min-width: 0; break-inside: avoid; }}
.chart h3 .last {{ float: right; font-variant-numeric: tabular-nums; }}
.rw-svg {{ display: block; max-width: 100%; }}
.legend {{ display: flex; flex-wrap: wrap; gap: 0 14px; font-size: 12px; color: var(--muted); }}
.legend span {{ overflow-wrap: anywhere; }}
.legend svg {{ margin-right: 5px; vertical-align: middle; }}
.gallery {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 260px), 1fr)); gap: 18px; }}
figure {{ margin: 0; min-width: 0; break-inside: avoid; }}
figure img {{ display: block; max-width: 100%; max-height: 420px; background: #fff; border: 1px solid var(--line); }}
figcaption {{ font-size: 12.5px; overflow-wrap: anywhere; }}
.tags {{ display: flex; flex-wrap: wrap; gap: 6px; margin: 0; padding: 0; list-style: none; }}
.tags li {{ padding: 1px 8px; border: 1px solid var(--line); border-radius: 10px; overflow-wrap: anywhere; }}
footer {{ margin-top: 34px; padding-top: 8px; border-top: 1px solid var(--line); color: var(--muted);
  font-size: 12px; }}
@media (max-width: 600px) {{
  main {{ padding: 14px 14px 30px; }}
  table {{ font-size: 12.5px; }}
  th, td {{ padding-right: 9px; }}
  .words {{ min-width: 8.5em; }}
}}
@media print {{
  main {{ max-width: none; padding: 0; }}
  body {{ font-size: 11px; }}
  .charts {{ grid-template-columns: 1fr 1fr; }}
  .wide, pre {{ overflow: visible; }}
  pre {{ white-space: pre-wrap; overflow-wrap: anywhere; }}
  th, td {{ white-space: normal; overflow-wrap: anywhere; }}
  tr {{ break-inside: avoid; }}
  h2 {{ break-after: avoid; }}
  details::details-content {{ block-size: auto; content-visibility: visible; }}
}}
"""

_HASH: Final = base64.b64encode(hashlib.sha256(SHEET.encode()).digest()).decode()
POLICY: Final = f"default-src 'none'; style-src 'sha256-{_HASH}'; img-src data:; base-uri 'none'; form-action 'none'"
"""Content security policy: this stylesheet and the images in the page, and nothing else."""
