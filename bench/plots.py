"""The report's pictures, as SVG. Speeds and ratios are on logarithmic axes."""

import io
from collections.abc import Iterable
from statistics import median

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from . import peaks
from .goals import goals_of
from .peers import OURS, PEERS
from .rivals import ratio
from .shares import Share

# One colour per library (Okabe and Ito's palette, for colour-blind readers), one marker per mode.
COLORS = {
    "fastmlp": "#0072B2", "NumPy": "#E69F00", "PyTorch": "#D55E00", "JAX": "#009E73",
    "scikit-learn": "#CC79A7", "ONNX Runtime": "#56B4E9", "fastmlp float32": "#7a8088",
}  # fmt: skip
MARKERS = {
    "eager": "o",
    "fused": "s",
    "trace": "^",
    "compile": "D",
    "one thread": "v",
    "autocast": "P",
    "bfloat16": "X",
    "kernels": "*",
}
STYLE = {
    "font.family": "sans-serif", "font.size": 9.5, "axes.titlesize": 10.5, "axes.titleweight": "bold",
    "axes.titlelocation": "left", "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True,
    "grid.color": "#e6e8eb", "grid.linewidth": 0.8, "axes.axisbelow": True, "axes.edgecolor": "#8a9099",
    "xtick.color": "#3c434c", "ytick.color": "#3c434c", "axes.labelcolor": "#3c434c", "legend.frameon": False,
    "svg.fonttype": "none", "svg.hashsalt": "fastmlp", "lines.linewidth": 1.6, "lines.markersize": 5,
}  # fmt: skip
_PEERS = {peer.name: peer for peer in (OURS, *PEERS)}


WIDTH = 9.8  # inches: that of the page


def _figure(width: float, height: float, columns: int = 1, **options) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, list(figure.subplots(1, columns, squeeze=False, **options)[0])


def _svg(figure: Figure) -> str:
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()


def _look(name: str) -> dict:
    """Colour, marker and label of a peer."""
    peer = _PEERS[name]
    return {"color": COLORS[peer.library], "marker": MARKERS.get(peer.mode, "o"), "label": name}


def _short(number: float, _=None) -> str:
    """1500 as 1.5k."""
    for size, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:g}{suffix}"
    return f"{number:g}"


def _log_axis(axis, values: Iterable[float], label: str) -> None:
    """Ticks at 1, 2 and 5 times each power of ten in the range."""
    values = list(values)
    low, high = min(values) / 1.25, max(values) * 1.25
    steps = (1, 2, 5) if high / low < 200 else (1,)
    ticks = [step * 10.0**power for power in range(-9, 13) for step in steps]
    axis.set_major_locator(FixedLocator([tick for tick in ticks if low <= tick <= high]))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(_short))
    axis.axes.set(**{f"{axis.axis_name}lim": (low, high), f"{axis.axis_name}label": label})


def _rows(race: dict, value_of, label: str, reference: float | None = None) -> str:
    """One row per workload, one marker per peer."""
    figure, (axes,) = _figure(WIDTH, 1.3 + 0.42 * len(race))
    labels, values = {}, []
    for row, (name, entry) in enumerate(race.items()):
        found = {peer: value_of(entry, peer) for peer in entry["seconds"]}
        found = {peer: value for peer, value in found.items() if value is not None}
        axes.plot([min(found.values()), max(found.values())], [row, row], color="#d5d9de", zorder=1)
        for peer, value in found.items():
            size = 150 if peer == OURS.name else 46
            labels[peer] = axes.scatter(
                value,
                row,
                s=size,
                zorder=4 if peer == OURS.name else 3,
                linewidths=0.7,
                edgecolors="white",
                **_look(peer),
            )
        values += found.values()
        if reference:
            for library, goal in goals_of(name, amx=entry["amx"]).items():
                axes.plot([goal] * 2, [row - 0.3, row + 0.3], color=COLORS[library], linewidth=2, zorder=2)
    if reference:
        axes.axvline(reference, color="#3c434c", linewidth=1)
        values += [
            reference,
            *(goal for name in race for goal in goals_of(name, amx=race[name]["amx"]).values()),
        ]
    axes.set_xscale("log")
    _log_axis(axes.xaxis, values, label)
    titles = [f"{name}\n{entry['title']}" for name, entry in race.items()]
    axes.set(ylim=(len(race) - 0.4, -0.6), yticks=range(len(race)), yticklabels=titles)
    axes.tick_params(axis="y", length=0, labelsize=8.5)
    axes.grid(False, axis="y")
    order = [name for name in _PEERS if name in labels]
    figure.legend(
        [labels[name] for name in order], order, loc="outside upper left", ncols=5, handletextpad=0.2
    )
    return _svg(figure)


def throughput(race: dict) -> str:
    """Rows per second of every peer."""
    return _rows(
        race,
        lambda entry, peer: entry["rows"] / median(entry["seconds"][peer]),
        "rows a second (higher is faster)",
    )


def ratios(race: dict) -> str:
    """How many times faster than every peer, with the goals."""

    def value_of(entry, peer):
        return None if peer == OURS.name else ratio(entry["seconds"][OURS.name], entry["seconds"][peer])

    return _rows(race, value_of, "times as fast as the peer (bars: goals, of the colour of the library)", 1.0)


def curve(points: list[dict], axis_label: str, unit: str) -> str:
    """A sweep: speeds on the left, ratios on the right; `unit` is GFLOP/s or rows per second."""
    figure, (speeds, quotients) = _figure(WIDTH, 3.3, 2)
    names = [name for name in _PEERS if any(name in point["seconds"] for point in points)]
    all_speeds, all_ratios = [], [1.0]
    for name in names:
        at = [point for point in points if name in point["seconds"] and OURS.name in point["seconds"]]
        speed = [_speed(point, name, unit) for point in at]
        width = 2.6 if name == OURS.name else 1.5
        speeds.plot([p["at"] for p in at], speed, linewidth=width, **_look(name))
        all_speeds += speed
        if name != OURS.name:
            times = [ratio(p["seconds"][OURS.name], p["seconds"][name]) for p in at]
            quotients.plot([p["at"] for p in at], times, linewidth=width, **_look(name))
            all_ratios += times
    quotients.axhline(1, color="#3c434c", linewidth=1)
    for axes in (speeds, quotients):
        axes.set_xscale("log", base=2)
        ticks = [p["at"] for p in points if p["at"] & (p["at"] - 1) == 0]
        axes.set(yscale="log", xlabel=axis_label)
        axes.xaxis.set_major_locator(FixedLocator(ticks))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:g}"))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.tick_params(axis="x", labelsize=8)
    _log_axis(speeds.yaxis, all_speeds, unit)
    _log_axis(quotients.yaxis, all_ratios, "times as fast as the peer")
    speeds.legend(loc="best", fontsize=8.5)
    return _svg(figure)


def _speed(point: dict, name: str, unit: str) -> float:
    rows = point["samples"] / median(point["seconds"][name])
    return rows * point["flops"] / 1e9 if unit == "GFLOP/s" else rows


def cores(sweeps: dict[str, list[dict]]) -> str:
    """Speed against the number of cores, one panel per network."""
    figure, panels = _figure(WIDTH, 2.9, len(sweeps))
    for axes, (name, points) in zip(panels, sweeps.items(), strict=True):
        values = []
        for peer in _PEERS:
            at = [point for point in points if peer in point["seconds"]]
            speed = [_speed(point, peer, "rows") for point in at]
            if at:
                axes.plot(
                    [p["at"] for p in at], speed, linewidth=2.6 if peer == OURS.name else 1.5, **_look(peer)
                )
            values += speed
        axes.set(
            title=name.removeprefix("cores, "), yscale="log", xlabel="cores", xticks=[p["at"] for p in points]
        )
        axes.margins(x=0.15)
        _log_axis(axes.yaxis, values, "rows a second" if axes is panels[0] else "")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper left", ncols=5)
    return _svg(figure)


def growth(curves: dict[str, list[list[float]]]) -> str:
    """Time of a step against its work, one panel per kind of work; grey: in proportion to the last point."""
    figure, panels = _figure(WIDTH, 2.9, len(curves))
    for axes, (name, points) in zip(panels, curves.items(), strict=True):
        work, seconds = zip(*points, strict=True)
        milliseconds = [1e3 * time for time in seconds]
        axes.plot(
            work, [milliseconds[-1] * amount / work[-1] for amount in work], color="#9aa1aa", linewidth=1
        )
        axes.plot(work, milliseconds, color=COLORS["fastmlp"], marker="o")
        axes.set(xscale="log", yscale="log")
        _log_axis(axes.xaxis, work, f"{name} of a step" if name == "rows" else name)
        _log_axis(axes.yaxis, milliseconds, "milliseconds a step")
    return _svg(figure)


def threads(grid: list[dict]) -> str:
    """All threads against one: how many times as fast."""
    widths, batches = (sorted({point[key] for point in grid}) for key in ("width", "batch"))
    gains = {(point["batch"], point["width"]): point["gain"] for point in grid}
    table = [[gains.get((batch, width), float("nan")) for width in widths] for batch in batches]
    limit = max(2.0, *gains.values(), *(1 / gain for gain in gains.values()))
    figure, (axes,) = _figure(7.2, 3.2)
    picture = axes.imshow(table, cmap="PuOr", norm=LogNorm(1 / limit, limit), origin="lower", aspect="auto")
    for row, line in enumerate(table):
        for column, gain in enumerate(line):
            dark = gain > limit**0.6 or gain < limit**-0.6
            axes.text(column, row, f"{gain:.2f}", ha="center", va="center", color="white" if dark else "#222")
    axes.set(xticks=range(len(widths)), xticklabels=widths, xlabel="width")
    axes.set(yticks=range(len(batches)), yticklabels=batches, ylabel="batch")
    axes.grid(False)
    bar = figure.colorbar(picture, ax=axes, label="times as fast as one thread")
    bar.ax.yaxis.set_major_locator(FixedLocator([0.5, 0.7, 1, 1.4, 2]))
    bar.ax.yaxis.set_major_formatter(FuncFormatter(_short))
    bar.ax.yaxis.set_minor_locator(NullLocator())
    return _svg(figure)


def roofline(shares: list[Share], machine: dict) -> str:
    """Products under the roofs of arithmetic and memory; the other kernels under those of memory. One thread."""
    mine = [share for share in shares if share.threads == machine["threads"]]
    figure, (products, streams) = _figure(WIDTH, 3.9, 2)
    _roofs(products, machine)
    _kernels(products, [s for s in mine if s.unit == "GFLOP/s"], lambda s: (s.intensity, s.speed))
    products.set(
        title="products, one thread",
        xscale="log",
        yscale="log",
        xlabel="intensity, operations a byte",
        ylabel="GFLOP/s",
    )
    _levels(streams, machine)
    _kernels(
        streams,
        [s for s in mine if s.unit == "GB/s"],
        lambda s: (s.footprint / 2**10, s.footprint / s.seconds / 1e9),
    )
    streams.set(
        title="all other kernels, one thread",
        xscale="log",
        yscale="log",
        xlabel="footprint, KiB",
        ylabel="footprint a second, GB/s",
    )
    for axes in (products, streams):
        axes.xaxis.set_major_formatter(FuncFormatter(_short))
        axes.yaxis.set_major_formatter(FuncFormatter(_short))
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc="lower right", fontsize=7.5, handletextpad=0.2)
    return _svg(figure)


def _kernels(axes: Axes, shares: list[Share], place) -> None:
    """One marker per kernel, one colour per kind."""
    kinds = list(dict.fromkeys(share.kernel for share in shares))
    for number, kind in enumerate(kinds):
        these = [share for share in shares if share.kernel == kind]
        color = list(COLORS.values())[number % len(COLORS)]
        axes.scatter(
            *zip(*map(place, these), strict=True), s=26, color=color, label=kind,
            marker="osD^vP"[number // len(COLORS) + number % 2], linewidths=0.5, edgecolors="white", zorder=3,
        )  # fmt: skip


def _roofs(axes: Axes, machine: dict) -> None:
    """Intensity times bandwidth, up to the peak of arithmetic."""
    peak = machine["arithmetic"] / 1e9
    axes.axhline(peak, color="#3c434c", linewidth=1.2)
    axes.text(3, peak * 1.13, f"multiply-adds in registers: {peak:.0f} GFLOP/s", fontsize=8)
    for number, name in enumerate(machine["memory"]):
        speed = peaks.fastest(machine, name) / 1e9
        height = peak * (0.7 - 0.15 * number)  # labels side by side
        axes.plot([0.01, peak / speed], [0.01 * speed, peak], color="#9aa1aa", linewidth=1)
        axes.text(height / speed, height, f"{name} ", fontsize=8, color="#6b737d", ha="right")
    axes.set(xlim=(0.1, 400), ylim=(peak / 30, peak * 1.6))


def _levels(axes: Axes, machine: dict) -> None:
    """The bandwidth of each level, over the footprints that fit."""
    start = 1.0
    for name, level in machine["memory"].items():
        end = level["bytes"] / 2**10 if level["bytes"] else start * 8
        low, high = (pick(level[stream.name] for stream in peaks.STREAMS) / 1e9 for pick in (min, max))
        axes.fill_between([start, end], low, high, color="#9aa1aa", alpha=0.45, linewidth=0)
        axes.text((start * end) ** 0.5, high * 1.08, name, fontsize=8, color="#6b737d", ha="center")
        start = end


def accuracy(run: dict) -> str:
    """Test accuracy against the epochs."""
    figure, (axes,) = _figure(6.2, 2.6)
    epochs = range(1, len(run["accuracy"]) + 1)
    axes.plot(epochs, [100 * value for value in run["accuracy"]], color=COLORS["fastmlp"], marker="o")
    axes.axhline(100 * run["goal"], color="#3c434c", linewidth=1, linestyle="--")
    axes.set(xlabel="epoch", ylabel="test accuracy, %", xticks=[e for e in epochs if e % 2])
    return _svg(figure)


def styled(draw, *arguments) -> str:
    """A picture in the report's style."""
    with mpl.rc_context(STYLE):
        return draw(*arguments)
