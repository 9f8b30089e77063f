"""Parts of the compiled engine alone: hashes by libcrypto and by hashlib, and memory that is used again."""

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topics.engine import native
from topics.engine.generated_support import pseudonyms
from topics.event import EntityKey, OutputRecord, RecordId, TopicName
from topics.grants.keys import pseudonym

pytestmark = pytest.mark.skipif(not native.compiled(), reason="nothing is compiled here")


@given(
    key=st.binary(max_size=100),
    first=st.binary(max_size=80),
    data=st.binary(max_size=200),
    direct=st.booleans(),
)
def test_keyed_hashes_are_hmac_with_and_without_libcrypto(
    key: bytes, first: bytes, data: bytes, direct: bool
) -> None:
    keyed = native.module("topics.engine.native_sha").Keyed(key, first, direct)
    expected = hmac.new(key, first + data, "sha256").hexdigest()[:32]
    assert [keyed.hex(data), keyed.hex(data)] == [expected, expected]


@given(key=st.binary(max_size=100), identity=st.text(max_size=20), record_id=st.text(max_size=20))
def test_pseudonyms_of_the_generated_engine_are_those_of_the_rules(
    key: bytes, identity: str, record_id: str
) -> None:
    try:
        parts = [identity.encode(), record_id.encode()]
    except UnicodeEncodeError:
        return
    entity = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    assert pseudonyms(key)(entity).decode() == pseudonym(key, EntityKey(identity, RecordId(record_id)))


def test_a_lane_in_used_memory_shows_nothing_of_the_lane_before() -> None:
    lanes = native.module("topics.engine.native_batch").ByteLane
    secret = OutputRecord(TopicName("t"), 0, b"k", b"secret" * 10_000)
    before = lanes("t", 0)
    before.append(secret)
    del before
    after = lanes("u", 1)
    assert (len(after), list(after)) == (0, [])
    own = OutputRecord(TopicName("u"), 1, None, b"v", (("name", b""),))
    after.append(own)
    assert list(after) == [own]
