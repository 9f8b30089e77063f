"""Settings of notices come from the environment, and secrets only from files that nobody else can read."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from services.api.settings import ApiSettings
from services.control.sending.settings import NoticeSettings
from services.control.sending.wiring import RestoreSecret, means_of


def private(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    path.chmod(0o600)
    return path


def test_settings_are_read_from_the_environment(tmp_path: Path) -> None:
    password = private(tmp_path / "password", b"word\n")
    settings = NoticeSettings.from_environment(
        {
            "GOVBUS_NOTICE_SMTP_HOST": "mail.example.cn",
            "GOVBUS_NOTICE_SMTP_USER": "govbus",
            "GOVBUS_NOTICE_SMTP_PASSWORD_FILE": str(password),
            "GOVBUS_NOTICE_WEBHOOK_ALLOW": "10.1.0.0/16, fd12::/64",
            "GOVBUS_NOTICE_MASTER_FILE": str(private(tmp_path / "master", b"m" * 32)),
            "OTHER": "is not ours",
        }
    )
    means = means_of(settings)
    assert means.server is not None
    assert (means.server.host, means.server.port, means.server.password()) == ("mail.example.cn", 587, "word")
    assert means.reach.allowed == (ip_network("10.1.0.0/16"), ip_network("fd12::/64"))
    assert not means.reach.plain
    assert "mmmm" not in repr(means)


def test_links_lead_to_where_the_portal_is_unless_another_address_is_set() -> None:
    assert NoticeSettings().portal == ApiSettings().origin


def test_without_a_mail_server_there_is_none(tmp_path: Path) -> None:
    file = private(tmp_path / "master", b"m" * 32)
    assert means_of(NoticeSettings(master_file=file)).server is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SENDER", "no mailbox"),
        ("WEBHOOK_ALLOW", "10.1.0.0/99"),
        ("PORTAL", "ftp://portal"),
        ("PORTAL", "https://portal.example.cn/"),
        ("SMTP_PORT", "0"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=r"(?i)" + name):
        NoticeSettings.from_environment({f"GOVBUS_NOTICE_{name}": value})


def test_a_master_secret_that_is_missing_short_or_open_to_others_is_refused(tmp_path: Path) -> None:
    open_, short = private(tmp_path / "open", b"m" * 32), private(tmp_path / "short", b"m" * 31)
    open_.chmod(0o640)
    for file, why in (
        (None, "names no file"),
        (tmp_path / "none", "cannot be read"),
        (short, "fewer"),
        (open_, "chmod"),
    ):
        with pytest.raises(RestoreSecret, match=why):
            means_of(NoticeSettings(master_file=file))
