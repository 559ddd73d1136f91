"""What a run is told as: a table for the terminal, Markdown to paste, a picture."""

from xml.etree import ElementTree as ET

from benchmarks.picture import picture
from benchmarks.rounds import Result
from benchmarks.row import ITSELF, Goal, Row
from benchmarks.table import markdown, text

SMALL = Row("small", "GET & <answer>", "requests per CPU-second", (Goal("ecluse", 1.0), Goal("ecluse", 0.9, "forwarder")))
IDLE = Row("idle-memory", "idle connections", "KiB per connection", (Goal("ecluse", 4.0, ITSELF, at_most=True),), ITSELF)
RESULTS = [
    Result(
        SMALL,
        {"forwarder": [1000.0, 1100.0], "nginx": [800.0, 900.0], "ecluse": [880.0, 810.0]},
        {"ecluse": ["status=3", "status=3"]},
    ),
    Result(IDLE, {"ecluse": [2.5, 3.5]}, {}),
]


def test_the_table_says_of_each_goal_whether_it_is_met_and_what_went_wrong() -> None:
    found = [" ".join(line.split()) for line in text(RESULTS).splitlines()]
    assert found[3:] == [
        "small ecluse the better 1.00 0.90 1.10 845 requests per CPU-second at least 1.00 of the better yes status=3",
        "small ecluse forwarder 0.81 0.74 0.88 845 requests per CPU-second at least 0.90 of forwarder no status=3",
        "idle-memory ecluse 3.00 2.50 3.50 3.00 KiB per connection at most 4.00 yes",
    ]


def test_markdown_has_a_line_for_each_row_and_a_column_for_each_peer() -> None:
    lines = markdown(RESULTS, "a caption").splitlines()
    assert lines[:3] == ["a caption", "", "| work | forwarder | nginx | ecluse | goal | met |"]
    assert lines[4].startswith("| GET & <answer> | 1.24 (1.22-1.25) | 1.00 (1.00-1.00) | 1.00 (0.90-1.10) | ecluse at least 1.00")
    assert lines[5] == "| idle connections (KiB per connection) | - | - | 3.00 (2.50-3.50) | ecluse at most 4.00 | yes (3.00) |"


def test_markdown_of_a_distance_says_what_it_is_from() -> None:
    row = Row("latency", "added p50", "us", (Goal("ecluse", 0.0, "nginx", at_most=True),), "nginx", difference=True)
    (line,) = markdown([Result(row, {"ecluse": [30.0, 50.0], "nginx": [35.0, 45.0]}, {})], "").splitlines()[4:]
    assert line == "| added p50 (us) | 40.00, so +0 (-5 to +5) | 40.00, so +0 (+0 to +0) | ecluse at most nginx's | yes (0.00) |"


def test_the_picture_is_well_formed_and_has_a_bar_for_each_share() -> None:
    drawn = ET.fromstring(picture(RESULTS, 'a "caption" & more'))
    space = {"svg": "http://www.w3.org/2000/svg"}
    bars = [bar for bar in drawn.findall("svg:rect", space) if bar.get("height") != "10"]
    assert len(bars) == 3
    widths = [float(bar.get("width", "")) for bar in bars]
    assert widths[0] > widths[1] == max(widths[1:])
    assert 'a "caption" & more' in [text.text for text in drawn.findall("svg:text", space)]


def test_a_picture_of_nothing_is_well_formed() -> None:
    assert ET.fromstring(picture([], "")).tag.endswith("svg")
