"""What a learner is shown."""

from __future__ import annotations

from gitops_sim.exercises import CheckResult, Hint

RED = CheckResult(
    "E00.1", "Make it stay", False, "3 pods", "1 <pod> of `cart`", "`shop.log()`", "By hand."
)
GREEN = CheckResult("E00.1", "Make it stay", True, "3 pods", "3 pods")


def bundle(shown: CheckResult | Hint) -> dict[str, str]:
    return shown._repr_mimebundle_()


def test_red_says_expected_found_and_where_to_look() -> None:
    text = bundle(RED)["text/plain"]
    assert text == repr(RED)
    for part in ("Not yet: E00.1", "3 pods", "1 <pod>", "shop.log()", "By hand.", ".hint()"):
        assert part in text


def test_html_has_the_same_words_escaped_and_code_marked() -> None:
    html = bundle(RED)["text/html"]
    assert "1 &lt;pod&gt; of <code>cart</code>" in html
    assert "<code>shop.log()</code>" in html
    assert "Look here first" in html


def test_colour_is_never_alone() -> None:
    """Red and green differ in a sign and in words too."""
    assert "✗ Not yet" in bundle(RED)["text/html"]
    assert "✓ Passed" in bundle(GREEN)["text/html"]


def test_green_offers_no_help_and_is_true() -> None:
    assert GREEN
    assert not RED
    assert "hint" not in repr(GREEN)


def test_html_needs_nothing_from_outside() -> None:
    html = bundle(RED)["text/html"]
    assert "http" not in html
    assert "<script" not in html


def test_hint_is_markdown_with_its_place_on_the_ladder() -> None:
    hint = Hint("E00.1", 2, 4, "Look at `shop`.")
    assert bundle(hint)["text/markdown"].startswith("**E00.1, hint 2 of 4: where to look**\n\n")
    assert repr(hint).endswith("Look at `shop`.")
