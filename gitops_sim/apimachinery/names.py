"""Names: generated ones, and the rules that names, labels and keys obey.

Each `validate_*` function returns what is wrong in the server's words, nothing when all is well.

Source: k8s.io/apimachinery, pkg/util/validation, pkg/api/validate/content and pkg/util/rand;
k8s.io/apiserver, pkg/storage/names.
"""

from __future__ import annotations

import re

from gitops_sim.protocols import RandomStream

__all__ = [
    "SUFFIX_LETTERS",
    "generate",
    "random_suffix",
    "validate_config_key",
    "validate_domain",
    "validate_env_name",
    "validate_label",
    "validate_label_key",
    "validate_label_value",
    "validate_port_name",
    "validate_search",
    "validate_service_name",
    "validate_subdomain",
    "validate_wildcard_domain",
]

SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
"""No vowels, no look-alikes: no bad words in names."""

_SUFFIX_LENGTH = 5
_MAX_GENERATED = 63 - _SUFFIX_LENGTH
_LABEL_LENGTH = 63
_SUBDOMAIN_LENGTH = 253

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_DNS_1035 = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_CONFIG_KEY = r"[-._a-zA-Z0-9]+"
_SEARCH_LABEL = r"_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_SEARCH = rf"{_SEARCH_LABEL}(\.{_SEARCH_LABEL})*"
_SEARCH_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' "
    "or '.', and must start and end with an alphanumeric character"
)
_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character"
)
_QUALIFIED_TEXT = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character"
)


def generate(base: str, rng: RandomStream) -> str:
    """Return `base` with five random letters, as the server does for generateName."""
    return base[:_MAX_GENERATED] + random_suffix(rng)


def random_suffix(rng: RandomStream, length: int = _SUFFIX_LENGTH) -> str:
    """Return random letters out of `SUFFIX_LETTERS`."""
    return "".join(rng.choice(SUFFIX_LETTERS) for _ in range(length))


def validate_label(name: str) -> list[str]:
    """Check a DNS label (RFC 1123): names of namespaces, containers."""
    text = (
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
        "and must start and end with an alphanumeric character"
    )
    problems = _too_long(name, _LABEL_LENGTH)
    if not re.fullmatch(_LABEL, name):
        if re.fullmatch(_SUBDOMAIN, name):
            problems.append("must not contain dots")
        else:
            problems.append(_pattern(text, _LABEL, "my-name", "123-abc"))
    return problems


def validate_service_name(name: str) -> list[str]:
    """Check a DNS label that begins with a letter (RFC 1035)."""
    text = (
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with "
        "an alphabetic character, and end with an alphanumeric character"
    )
    problems = _too_long(name, _LABEL_LENGTH)
    if not re.fullmatch(_DNS_1035, name):
        problems.append(_pattern(text, _DNS_1035, "my-name", "abc-123"))
    return problems


def validate_subdomain(name: str) -> list[str]:
    """Check a DNS subdomain: the names of most objects."""
    problems = _too_long(name, _SUBDOMAIN_LENGTH)
    if not re.fullmatch(_SUBDOMAIN, name):
        problems.append(_pattern(_SUBDOMAIN_TEXT, _SUBDOMAIN, "example.com"))
    return problems


def validate_search(name: str) -> list[str]:
    """Check a domain that a resolver searches: a subdomain that may have underscores."""
    problems = _too_long(name, _SUBDOMAIN_LENGTH)
    if not re.fullmatch(_SEARCH, name):
        problems.append(_pattern(_SEARCH_TEXT, _SEARCH, "example.com"))
    return problems


def validate_domain(name: str) -> list[str]:
    """Check a fully qualified domain name of at least two parts."""
    problems = validate_subdomain(name)
    if not problems and len(name.split(".")) < 2:
        problems.append("should be a domain with at least two segments separated by dots")
    return problems


def validate_wildcard_domain(name: str) -> list[str]:
    """Check `*.example.com`."""
    text = (
        "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, "
        "which must consist of lower case alphanumeric characters, '-' or '.' and end with an "
        "alphanumeric character"
    )
    pattern = rf"\*\.{_SUBDOMAIN}"
    problems = _too_long(name, _SUBDOMAIN_LENGTH)
    if not re.fullmatch(pattern, name):
        problems.append(_pattern(text, pattern, "*.example.com"))
    return problems


def validate_label_key(key: str) -> list[str]:
    """Check the key of a label or annotation, with or without a prefix."""
    prefix, slash, name = key.rpartition("/")
    problems: list[str] = []
    if "/" in prefix:
        text = _pattern(f"a valid label key {_QUALIFIED_TEXT}", _QUALIFIED, *_KEY_EXAMPLES)
        return [f"{text} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"]
    if slash:
        found = _too_long(prefix, _SUBDOMAIN_LENGTH, unit="bytes")
        if not prefix:
            found.append("must be non-empty")
        elif not re.fullmatch(_SUBDOMAIN, prefix):
            found.append(_pattern(_SUBDOMAIN_TEXT, _SUBDOMAIN, "example.com"))
        problems += [f"prefix part {text}" for text in found]
    if not name:
        problems.append("name part must be non-empty")
    problems += [f"name part {text}" for text in _too_long(name, _LABEL_LENGTH, unit="bytes")]
    if not re.fullmatch(_QUALIFIED, name):
        problems.append(_pattern(f"name part {_QUALIFIED_TEXT}", _QUALIFIED, *_KEY_EXAMPLES))
    return problems


_KEY_EXAMPLES = ("MyName", "my.name", "123-abc")


def validate_label_value(value: str) -> list[str]:
    """Check the value of a label."""
    text = f"a valid label must be an empty string or consist{_QUALIFIED_TEXT[12:]}"
    problems = _too_long(value, _LABEL_LENGTH, unit="bytes")
    pattern = f"({_QUALIFIED})?"
    if not re.fullmatch(pattern, value):
        problems.append(_pattern(text, pattern, "MyValue", "my_value", "12345"))
    return problems


def validate_config_key(key: str) -> list[str]:
    """Check a key of a ConfigMap's or Secret's data."""
    text = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
    problems = _too_long(key, _SUBDOMAIN_LENGTH)
    if not re.fullmatch(_CONFIG_KEY, key):
        problems.append(_pattern(text, _CONFIG_KEY, "key.name", "KEY_NAME", "key-name"))
    return problems + _parent_directory(key)


def validate_env_name(name: str) -> list[str]:
    """Check the name of an environment variable."""
    if not name:
        return ["must be non-empty"]
    if all(" " <= letter <= "~" and letter != "=" for letter in name):
        return []
    text = "a valid environment variable name must consist only of printable ASCII characters"
    return [f"{text} other than '='"]


def validate_port_name(name: str) -> list[str]:
    """Check the name of a container's port (IANA service name)."""
    problems = _too_long(name, 15)
    if not re.fullmatch(r"[-a-z0-9]+", name):
        problems.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search(r"[a-z]", name):
        problems.append("must contain at least one letter (a-z)")
    if "--" in name:
        problems.append("must not contain consecutive hyphens")
    if name.startswith("-") or name.endswith("-"):
        problems.append("must not begin or end with a hyphen")
    return problems


def _parent_directory(key: str) -> list[str]:
    if key in (".", ".."):
        return [f"must not be '{key}'"]
    return ["must not start with '..'"] if key.startswith("..") else []


def _too_long(text: str, limit: int, *, unit: str = "characters") -> list[str]:
    if len(text.encode(errors="surrogatepass")) <= limit:
        return []
    return [f"must be no more than {limit} {unit}"]


def _pattern(text: str, pattern: str, *examples: str) -> str:
    listed = " or ".join(f"'{example}', " for example in examples)
    return f"{text} (e.g. {listed}regex used for validation is '{pattern}')"
