"""Questions to a port: is it free, does it answer."""

import socket

import psutil
import requests

HOST = "127.0.0.1"


def port_free(port: int) -> bool:
    """Say whether a server could listen on the loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as attempt:
        # As servers do: a port whose last connections are only waiting to expire counts as free.
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((HOST, port))
        except OSError:
            return False
        return True


def port_holder(port: int) -> str:
    """Return who listens on the port, as far as this user may know."""
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.laddr and connection.laddr.port == port and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except (psutil.AccessDenied, psutil.NoSuchProcess):
        return "another program"
    return "another program"


def port_open(port: int) -> bool:
    """Say whether something accepts connections on the loopback port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as attempt:
        attempt.settimeout(2.0)
        return attempt.connect_ex((HOST, port)) == 0


def loopback_session(auth: tuple[str, str] | None = None) -> requests.Session:
    """Return a session that reaches this machine directly, whatever proxy the environment names."""
    session = requests.Session()
    session.trust_env = False
    session.auth = auth
    return session


def http_ok(url: str, auth: tuple[str, str] | None = None, timeout_s: float = 3.0) -> bool:
    """Say whether a GET is answered with 200."""
    try:
        with loopback_session(auth) as session:
            return bool(session.get(url, timeout=timeout_s).status_code == requests.codes.ok)
    except requests.RequestException:
        return False
