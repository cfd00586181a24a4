"""Numbers and words of results."""

import pytest

from rsclass.report.texts import chosen, counted, evidence_text, percent, three_digits

EVIDENCE = [
    {"n_classes": 6, "silhouette": 0.40001, "gap": None, "elbow": False, "mean_rank": 2.0},
    {"n_classes": 12, "silhouette": 0.5, "gap": 1.0, "elbow": True, "mean_rank": 1.0},
    {"n_classes": 13, "silhouette": 0.5, "gap": 1.0, "elbow": False, "mean_rank": 1.0},
]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.123456, "0.123"),
        (0.3, "0.300"),
        (12.3456, "12.3"),
        (99.96, "100"),
        (123.4, "123"),
        (999.7, "1,000"),
        (12345.6, "12,346"),
        (0.000012345, "1.23e-05"),
        (1.23456e9, "1.23e+09"),
        (0.0, "0.00"),
        (12, "12"),
        (True, "yes"),
        (None, "–"),
    ],
)
def test_three_digits_of_a_number_are_shown(value, text):
    assert three_digits(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(1.0, "100%"), (0.99999, "99.9%"), (0.5, "50.0%"), (0.000001, "< 0.01%"), (0.0, "0.00%")],
)
def test_a_part_is_never_all_or_nothing(share, text):
    assert percent(share, gap="") == text


def test_one_is_singular():
    assert [counted(n, "class", "classes") for n in (0, 1, 2000)] == [
        "0 classes",
        "1 class",
        "2,000 classes",
    ]


def test_of_equal_ranks_the_fewest_classes_are_chosen():
    best = chosen(EVIDENCE)
    assert best is not None
    assert best["n_classes"] == 12
    assert chosen([]) is None


def test_the_evidence_is_an_aligned_table_with_the_chosen_row_marked_and_the_rule():
    head, *rows, reason, rule = evidence_text(EVIDENCE, "Twelve.").split("\n")
    assert head.split() == ["classes", "silhouette", "gap", "elbow", "mean", "rank"]
    assert [row.split() for row in rows] == [
        ["6", "0.400", "–", "no", "2.00"],
        [">", "12", "0.500", "1.00", "yes", "1.00"],
        ["13", "0.500", "1.00", "no", "1.00"],
    ]
    assert len({len(line) for line in (head, *rows)}) == 1
    assert reason == "Twelve."
    assert "mean rank" in rule
