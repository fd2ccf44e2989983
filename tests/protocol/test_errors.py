"""The table of errors and warnings is consistent with itself and with RFC 6455."""

import pytest
from bargein_protocol.errors import ErrorCode, ProtocolError, WarningCode, error_for_close

STANDARD_CLOSE_CODES = {1006, 1009, 1011, 1012}
"""Of the registered ones those that say what is meant here; 1006 never goes over the wire."""


def test_codes_are_unique() -> None:
    codes = [entry.code for entry in (*ErrorCode, *WarningCode)]
    assert len(codes) == len(set(codes))


def test_wire_code_is_the_name() -> None:
    assert all(entry.code == entry.name.lower() for entry in (*ErrorCode, *WarningCode))
    assert all(entry.meaning for entry in (*ErrorCode, *WarningCode))


def test_close_codes_are_unique_and_legal() -> None:
    codes = [error.close_code for error in ErrorCode if error.close_code is not None]
    assert len(codes) == len(set(codes))
    assert all(code in STANDARD_CLOSE_CODES or 4000 <= code <= 4999 for code in codes)


def test_private_close_codes_tell_whose_fault_it_is() -> None:
    hundreds = {
        error.close_code // 100: error.fault
        for error in ErrorCode
        if error.close_code is not None and error.close_code >= 4000
    }
    assert hundreds == {44: "client", 45: "server"}


def test_error_that_closes_nothing_is_the_clients_and_the_same_again_would_fail_again() -> None:
    living = [error for error in ErrorCode if error.close_code is None]
    assert living
    assert {(error.fault, error.retry) for error in living} == {("client", "never")}


def test_fault_of_the_server_or_the_network_is_worth_another_try() -> None:
    others = [error for error in ErrorCode if error.fault != "client"]
    assert others
    assert all(error.retry != "never" for error in others)


@pytest.mark.parametrize("error", [error for error in ErrorCode if error.close_code])
def test_close_code_leads_back_to_its_error(error: ErrorCode) -> None:
    assert error.close_code is not None
    assert error_for_close(error.close_code) is error


@pytest.mark.parametrize(
    ("close_code", "error"),
    [
        (1000, None),
        (1001, None),
        (1006, ErrorCode.CONNECTION_LOST),
        (1002, ErrorCode.CONNECTION_LOST),
        (4999, ErrorCode.CONNECTION_LOST),
    ],
)
def test_other_close_codes(close_code: int, error: ErrorCode | None) -> None:
    assert error_for_close(close_code) is error


def test_pings_that_are_not_answered_are_a_lost_connection() -> None:
    assert error_for_close(1011, "keepalive ping timeout") is ErrorCode.CONNECTION_LOST
    assert error_for_close(1011, "internal_error") is ErrorCode.INTERNAL_ERROR


def test_protocol_error_is_fatal_where_the_table_closes() -> None:
    assert ProtocolError(ErrorCode.NOT_OPEN, "x").fatal
    assert not ProtocolError(ErrorCode.INVALID_JSON, "x").fatal
    assert str(ProtocolError(ErrorCode.INVALID_JSON, "half a line")) == "invalid_json: half a line"
