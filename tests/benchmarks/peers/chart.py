"""Draws the chart of the rates: a group of bars for each protocol."""

import io

import matplotlib
from matplotlib.figure import Figure
from peers.report import median_rates
from peers.results import Results

_GROUPS = {
    "png": "One PNG a request",
    "oip-json": "Open Inference Protocol, JSON",
    "oip-binary": "Open Inference Protocol, binary",
}
_LECTERN, _PEER = "#1f6feb", "#b8c0cc"
# The same results give the same file: text stays text, and IDs do not depend on chance.
_STYLE = {"svg.fonttype": "none", "svg.hashsalt": "lectern", "font.size": 10, "axes.spines.right": False}
_INCHES_PER_BAR = 0.32


def svg(results: Results) -> str:
    """Return the chart as SVG: median requests per second at 16 connections."""
    stream = io.StringIO()
    with matplotlib.rc_context(_STYLE):
        draw(results).savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return stream.getvalue()


def draw(results: Results) -> Figure:
    """Return the chart."""
    groups = {title: median_rates(results, protocol) for protocol, title in _GROUPS.items()}
    groups = {title: rows for title, rows in groups.items() if rows}
    heights = [len(rows) + 1.5 for rows in groups.values()]
    figure = Figure(figsize=(8, _INCHES_PER_BAR * sum(heights) + 0.4), layout="constrained")
    figure.suptitle("Requests per second, 16 connections, two cores, load generator included", fontsize=10)
    axes = figure.subplots(len(groups), squeeze=False, height_ratios=heights)[:, 0]
    for axis, (title, rows) in zip(axes, groups.items(), strict=True):
        names, rates = zip(*rows, strict=True)
        colours = [_LECTERN if name.startswith("Lectern") else _PEER for name in names]
        bars = axis.barh(names, rates, color=colours)
        axis.bar_label(bars, [f"{rate:,.0f}" for rate in rates], padding=4)
        axis.set_title(title, loc="left", fontweight="bold", fontsize=10)
        axis.invert_yaxis()
        axis.set_xticks([])
        axis.margins(x=0.12)
        axis.spines[["top", "bottom"]].set_visible(False)
    return figure
