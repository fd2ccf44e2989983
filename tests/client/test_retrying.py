"""The client's rule is the protocol's advice."""

import pytest
from bargein_client.errors import ClientError, NetworkError, ServerError, error_for
from bargein_client.retrying import Advice, Backoff, advice_for
from bargein_protocol.errors import ErrorCode


@pytest.mark.parametrize("code", list(ErrorCode))
@pytest.mark.parametrize("resuming", [True, False])
def test_never_means_never_and_resume_means_resume(code: ErrorCode, *, resuming: bool) -> None:
    advice = advice_for(code, resuming=resuming)
    assert (advice is Advice.RESUME) == (code.retry == "resume")
    if code.retry == "never":
        assert advice is Advice.RAISE


def test_a_restarting_server_gets_a_new_session_and_a_session_that_is_gone_too() -> None:
    assert advice_for(ErrorCode.SHUTTING_DOWN, resuming=False) is Advice.BEGIN_ANEW
    assert advice_for(ErrorCode.UNKNOWN_SESSION, resuming=True) is Advice.BEGIN_ANEW
    assert advice_for(ErrorCode.UNKNOWN_SESSION, resuming=False) is Advice.RAISE
    assert advice_for(ErrorCode.IDLE_TIMEOUT, resuming=False) is Advice.RAISE


def test_waits_double_to_a_bound_and_end() -> None:
    waits_s = list(Backoff(first_s=1, most_s=8, attempts=6).waits_s())
    assert len(waits_s) == 6
    for wait_s, most_s in zip(waits_s, (1, 2, 4, 8, 8, 8), strict=True):
        assert most_s / 2 <= wait_s <= most_s


def test_errors_are_typed_by_fault() -> None:
    assert isinstance(error_for(ErrorCode.UNAUTHORIZED), ClientError)
    assert isinstance(error_for(ErrorCode.SERVER_FULL), ServerError)
    error = error_for(ErrorCode.CONNECTION_LOST, "cable")
    assert isinstance(error, NetworkError)
    assert str(error) == "connection_lost: cable"
