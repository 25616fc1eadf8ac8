"""Names, generated and checked."""

from __future__ import annotations

import random

import pytest

from gitops_sim.apimachinery import names


def test_generated_names_have_five_safe_letters_and_repeat_with_the_seed() -> None:
    first = names.generate("web-", random.Random(1))  # noqa: TID251 - stands for a clock's stream
    again = names.generate("web-", random.Random(1))  # noqa: TID251
    assert first == again
    assert first.startswith("web-")
    assert len(first) == 9
    assert set(first[4:]) <= set(names.SUFFIX_LETTERS)


def test_a_long_base_is_cut_so_that_the_name_is_a_label() -> None:
    name = names.generate("x" * 80, random.Random(1))  # noqa: TID251
    assert len(name) == 63


@pytest.mark.parametrize(
    ("check", "good", "bad", "problem"),
    [
        (names.validate_label, "my-name", "My", "a lowercase RFC 1123 label must consist"),
        (names.validate_label, "123", "a.b", "must not contain dots"),
        (names.validate_label, "a" * 63, "a" * 64, "must be no more than 63 characters"),
        (names.validate_subdomain, "a.b-c.d", "a..b", "(e.g. 'example.com', regex used for"),
        (names.validate_subdomain, "a" * 253, "a" * 254, "no more than 253 characters"),
        (names.validate_service_name, "web", "1web", "a DNS-1035 label must consist"),
        (names.validate_domain, "example.com", "example", "at least two segments"),
        (names.validate_wildcard_domain, "*.example.com", "*", "must start with '*.'"),
        (names.validate_label_key, "example.com/Name", "a/b/c", "optional DNS subdomain prefix"),
        (names.validate_label_key, "Name", "/x", "prefix part must be non-empty"),
        (names.validate_label_key, "a.b", "x/", "name part must be non-empty"),
        (names.validate_label_key, "a_b", "A_/x", "prefix part a lowercase RFC 1123 subdomain"),
        (names.validate_label_value, "", "a b", "a valid label must be an empty string or consist"),
        (names.validate_label_value, "a" * 63, "a" * 64, "must be no more than 63 bytes"),
        (names.validate_config_key, "app.conf", "a/b", "a valid config key must consist"),
        (names.validate_config_key, "a..", "..", "must not be '..'"),
        (names.validate_config_key, ".a", "..a", "must not start with '..'"),
        (names.validate_env_name, "MY.ENV", "A=B", "printable ASCII characters other than '='"),
        (names.validate_env_name, "1", "", "must be non-empty"),
        (names.validate_port_name, "http-2", "123", "at least one letter"),
        (names.validate_port_name, "http", "a--b", "consecutive hyphens"),
        (names.validate_port_name, "h", "-h", "must not begin or end with a hyphen"),
        (names.validate_port_name, "a" * 15, "a" * 16, "must be no more than 15 characters"),
    ],
)
def test_rules_of_names(check: object, good: str, bad: str, problem: str) -> None:
    assert check(good) == []  # type: ignore[operator]
    assert problem in "; ".join(check(bad))  # type: ignore[operator]
