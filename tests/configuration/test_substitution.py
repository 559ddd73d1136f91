"""Variables in values, as users of Compose expect them."""

import pytest

from sidecar.configuration.substitution import substitute

VARIABLES = {"SET": "value", "EMPTY": "", "DOLLAR": "${SET}"}


@pytest.mark.parametrize(
    ("text", "replaced"),
    [
        ("${SET}", "value"),
        ("a ${SET} b ${SET}", "a value b value"),
        ("${EMPTY}", ""),
        ("${UNSET:-default}", "default"),
        ("${UNSET-}", ""),
        ("${EMPTY:-default}", "default"),
        ("${EMPTY-default}", ""),
        ("${SET:+other}", "other"),
        ("${UNSET+other}", ""),
        ("${SET:?reason}", "value"),
        ("${DOLLAR}", "${SET}"),
        ("$$", "$"),
        ("$${SET}", "${SET}"),
        ("sh -c 'exec app $PORT {port}'", "sh -c 'exec app $PORT {port}'"),
        ("100$", "100$"),
    ],
)
def test_it_is_replaced_as_in_compose(text: str, replaced: str) -> None:
    assert substitute(text, VARIABLES) == replaced


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("${UNSET}", "needs the environment variable UNSET, which is not set; set it, or give a default: ${UNSET:-default}"),
        ("${EMPTY:?must be said}", "needs the environment variable EMPTY: must be said"),
        ("${UNSET?}", "needs the environment variable UNSET, which is not set; set it, or give a default: ${UNSET:-default}"),
        ("${A:-${SET}}", "has a ${ that is not understood: write ${NAME} or ${NAME:-default}, or $${ for ${ itself"),
        ("${", "has a ${ that is not understood: write ${NAME} or ${NAME:-default}, or $${ for ${ itself"),
        ("${1}", "has a ${ that is not understood: write ${NAME} or ${NAME:-default}, or $${ for ${ itself"),
    ],
)
def test_what_cannot_be_replaced_is_an_error_with_a_way_out(text: str, said: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole message is compared
        substitute(text, VARIABLES)
    assert str(caught.value) == said
