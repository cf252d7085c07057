# -*- test-case-name: tests.web.test_gate -*-
"""Who may come in: the one check of every webhook and every upgrade [SEC-1, SEC-2].

A request must be signed by the carrier, for the configured public URL. The one way
round it is ``trust_loopback``, which the configuration allows only where nobody from
outside can reach; even then a request that came through a proxy is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address
from typing import NoReturn

from ..carriers.twilio.markup import stream_url
from ..carriers.twilio.signature import verify_body, verify_form, verify_upgrade
from ..errors import RequestRefused

__all__ = ["Gate"]


class Gate:
    """Refuses what the carrier did not sign."""

    def __init__(
        self,
        public_url: str | None,
        *,
        tokens_for: Callable[[str], Sequence[str]],
        all_tokens: Callable[[], Sequence[str]],
        trust_loopback: bool,
    ) -> None:
        """
        :param public_url: what the carrier was told to call, without a path.
        :param tokens_for: the tokens that may sign for an account.
        :param all_tokens: the tokens that may sign an upgrade, which names no account.
        :param trust_loopback: let unsigned requests from this machine in.
        """
        #: May be set while calls run.
        self.public_url = public_url
        self._tokens_for = tokens_for
        self._all_tokens = all_tokens
        self._trust_loopback = trust_loopback
        #: Requests turned away, by reason.
        self.refused: Counter[str] = Counter()

    def check_form(
        self,
        path: str,
        form: Sequence[tuple[str, str]],
        headers: Mapping[str, str],
        peer: str,
    ) -> None:
        """
        Check a webhook that was posted as a form.

        :param path: as requested, with its query.
        :param headers: by lower-case name.
        :param peer: the address of the other end.
        :raises RequestRefused: when it was not signed.
        """
        if self._trust_loopback:
            self._check_loopback(headers, peer)
            return
        account = dict(form).get("AccountSid", "")
        signature = headers.get("x-twilio-signature", "")
        tokens = self._tokens_for(account)
        if not verify_form(tokens, self._url(path), form, signature):
            self.refuse("signature")

    def check_body(
        self, path: str, body: bytes, headers: Mapping[str, str], peer: str
    ) -> None:
        """Check a webhook that was posted as anything else; see ``check_form``."""
        if self._trust_loopback:
            self._check_loopback(headers, peer)
            return
        signature = headers.get("x-twilio-signature", "")
        tokens = self._all_tokens()
        if not verify_body(tokens, self._url(path), body, signature):
            self.refuse("signature")

    def check_upgrade(self, path: str, headers: Mapping[str, str], peer: str) -> None:
        """Check the upgrade to a WebSocket; see ``check_form``."""
        if self._trust_loopback:
            self._check_loopback(headers, peer)
            return
        signature = headers.get("x-twilio-signature", "")
        url = stream_url(self.public_url or "", path)
        if not verify_upgrade(self._all_tokens(), url, signature):
            self.refuse("signature")

    def refuse(self, reason: str, status: int = 403) -> NoReturn:
        """
        Turn a request away, and count it.

        :raises RequestRefused: always.
        """
        self.refused[reason] += 1
        raise RequestRefused(reason, status)

    def _url(self, path: str) -> str:
        return (self.public_url or "").rstrip("/") + path

    def _check_loopback(self, headers: Mapping[str, str], peer: str) -> None:
        if any(n == "forwarded" or n.startswith("x-forwarded-") for n in headers):
            self.refuse("forwarded")
        # A Unix socket has no address; who may open it is the file system's affair.
        if peer and not ip_address(peer).is_loopback:
            self.refuse("not_loopback")
