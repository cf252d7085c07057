"""Tests of the configuration as a value."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.config import (
    Config,
    default_node_id,
    load,
    normal_number,
    warnings,
)
from twistedvoice.errors import ConfigError

_ENVIRON = {
    "TWISTEDVOICE_PUBLIC_URL": "https://voice.example/",
    "TWISTEDVOICE_AUTH_TOKEN": "hush",
    "HOME": "/home/x",
}
_ACCOUNT = "AC" + "1" * 32
_OTHER = "AC" + "2" * 32


class _ConfigTestCase(SynchronousTestCase):
    def load(
        self,
        toml: str = "",
        environ: Mapping[str, str] | None = None,
        options: Mapping[str, object] | None = None,
    ) -> Config:
        """A configuration that serves Twilio, with ``toml`` in a file."""
        path = self.mktemp()
        Path(path).write_text(toml)
        return load(
            {"config": path, **(options or {})},
            {**_ENVIRON, **(environ or {})},
            node_id="n-1",
        )


class LoadTests(_ConfigTestCase):
    """From what was given to a value."""

    def test_least(self) -> None:
        """A public URL and a token are enough."""
        config = self.load()
        self.assertEqual(config.public_url, "https://voice.example")
        self.assertEqual(config.twilio.auth_token, "hush")
        self.assertEqual(config.agent, "prompt")
        self.assertEqual(config.node_id, "n-1")
        self.assertEqual(config.drain_seconds, 60.0)
        self.assertEqual(config.log.format, "text")
        self.assertEqual(config.recording.without_audio, "keep")
        self.assertEqual(config.carrier_recording.base_url, "https://api.twilio.com")

    def test_trusting(self) -> None:
        """With --trust-loopback nothing else is needed."""
        config = load({"trust-loopback": 1}, {}, node_id="n-1")
        self.assertTrue(config.trust_loopback)
        self.assertIsNone(config.websocket_url)

    def test_problems(self) -> None:
        """What cannot be read and what does not fit are reported together."""
        error = self.assertRaises(
            ConfigError, load, {"max-calls": "x"}, {}, node_id="n-1"
        )
        keys = [problem.split(":")[0] for problem in error.problems]
        self.assertEqual(keys, ["max_calls", "public_url", "twilio.auth_token"])

    def test_nothing_given(self) -> None:
        """Without anything it is said how to get going."""
        error = self.assertRaises(ConfigError, load, {}, {}, node_id="n-1")
        self.assertIn("twistedvoice demo", str(error))

    def test_no_secret_shown(self) -> None:
        """The value, shown, holds no secret and no phone number."""
        config = self.load(
            f"""
            after_stream = "dial:+15550001111"
            overload.dial = "+15550004444"
            twilio.account_sid = "AC{"1" * 32}"
            twilio.api_key_sid = "SK{"3" * 32}"
            s3.bucket = "calls"
            s3.access_key_id = "AKIA"
            twilio.subaccounts = {{ {_OTHER} = "env:SUB" }}
            [numbers."+15550002222"]
            transfer = "+15550003333"
            [agents.desk]
            key = "hush"
            """,
            {
                "TWISTEDVOICE_TWILIO__AUTH_TOKEN_SECONDARY": "hush2",
                "TWISTEDVOICE_TWILIO__API_KEY_SECRET": "hush3",
                "TWISTEDVOICE_RECORDING__KEY": "hush5-and-eleven",
                "TWISTEDVOICE_RECORDING__ENCRYPTION_KEY": "hush" * 10 + "hus=",
                "SUB": "hush4",
                "TWISTEDVOICE_S3__SECRET_ACCESS_KEY": "hush5",
            },
        )
        shown = repr(config) + repr(config.number("+15550002222"))
        self.assertNotIn("hush", shown)
        self.assertNotIn("+1555", shown)


class ConfigTests(_ConfigTestCase):
    """What the value answers."""

    def test_websocket_url(self) -> None:
        """The WebSocket URL is the public one with its scheme changed."""
        self.assertEqual(self.load().websocket_url, "wss://voice.example")
        plain = evolve(self.load(), public_url="http://localhost:80")
        self.assertEqual(plain.websocket_url, "ws://localhost:80")

    def test_number(self) -> None:
        """A number that is not named is treated as the default."""
        config = self.load('[numbers."+15550001111"]\nagent = "desk"')
        self.assertEqual(config.number("+15550001111").agent, "desk")
        self.assertEqual(config.number("+15559999999").agent, "prompt")
        self.assertEqual(config.number("anonymous").agent, "prompt")

    def test_may_record(self) -> None:
        """A call is recorded when that is on and the caller agreed."""
        usual = self.load().number("")
        self.assertTrue(usual.may_record)
        self.assertFalse(evolve(usual, recording=False).may_record)
        self.assertFalse(evolve(usual, consent="never").may_record)
        self.assertTrue(evolve(usual, consent="key").may_record)

    def test_awaited_key(self) -> None:
        """A key is waited for where consent is given by one."""
        key = "[numbers.default]\nconsent = 'key'\nconsent_key = '%s'"
        self.assertEqual(self.load(key % "5").number("").awaited_key, "5")
        self.assertEqual(self.load(key % "*").number("").awaited_key, "*")
        self.assertEqual(self.load().number("").awaited_key, "")
        self.assertRaises(ConfigError, self.load, key % "12")

    def test_agent_named(self) -> None:
        """An agent has the settings of its table, or none."""
        config = self.load('[agents.desk]\nuse = "shop.Desk"\nmenu = 1\n[agents.echo]')
        desk = config.agent_named("desk")
        self.assertEqual((desk.use, desk.settings), ("shop.Desk", {"menu": 1}))
        self.assertEqual(config.agent_named("echo").use, "echo")
        self.assertEqual(config.agent_named("prompt").use, "prompt")

    def test_auth_tokens(self) -> None:
        """Each account has its own tokens; a strange one has none."""
        config = self.load(
            f'twilio.account_sid = "{_ACCOUNT}"\n'
            f'twilio.subaccounts = {{ {_OTHER} = "env:SUB" }}',
            {"SUB": "sub", "TWISTEDVOICE_TWILIO__AUTH_TOKEN_SECONDARY": "second"},
        )
        self.assertEqual(config.twilio.auth_tokens(_ACCOUNT), ("hush", "second"))
        self.assertEqual(config.twilio.auth_tokens(_OTHER), ("sub",))
        self.assertEqual(config.twilio.auth_tokens("AC3"), ())

    def test_auth_tokens_of_any_account(self) -> None:
        """Where no account is named the token is the only proof."""
        self.assertEqual(self.load().twilio.auth_tokens(_ACCOUNT), ("hush",))

    def test_api_credentials(self) -> None:
        """An API key is used before the auth token."""
        twilio = self.load().twilio
        self.assertIsNone(twilio.api_credentials)
        twilio = evolve(twilio, account_sid=_ACCOUNT)
        self.assertEqual(twilio.api_credentials, (_ACCOUNT, "hush"))
        twilio = evolve(twilio, api_key_sid="SK", api_key_secret="k")
        self.assertEqual(twilio.api_credentials, ("SK", "k"))


class ChangedTests(_ConfigTestCase):
    """What SIGHUP may change."""

    def test_same(self) -> None:
        """The same sources make the same value."""
        self.assertEqual(self.load().changed(self.load()), ([], []))

    def test_different(self) -> None:
        """Differences are told apart by whether live calls allow them."""
        other = self.load(
            f"""
            listen = "tcp:1"
            max_calls = 2
            log = {{ format = "json", level = "debug" }}
            twilio.subaccounts = {{ {_OTHER} = "env:SUB" }}
            [agents.desk]
            [numbers.default]
            consent = "never"
            """,
            {"TWISTEDVOICE_AUTH_TOKEN": "new", "SUB": "sub"},
        )
        self.assertEqual(
            self.load().changed(other),
            (
                [
                    "max_calls",
                    "log.level",
                    "twilio.auth_token",
                    "agents",
                    "numbers",
                    "twilio.subaccounts",
                ],
                ["listen", "log.format"],
            ),
        )


class WarningsTests(_ConfigTestCase):
    """What is allowed but may surprise."""

    def test_none(self) -> None:
        """A usual configuration surprises nobody."""
        self.assertEqual(warnings(self.load(), 1024), [])

    def test_open_files(self) -> None:
        """More calls than the limit on open files allows are pointed out."""
        config = evolve(self.load(), max_calls=192)
        self.assertEqual(warnings(config, 1024), [])
        (warning,) = warnings(evolve(config, max_calls=193), 1024)
        self.assertIn("193 calls need 1029 open files", warning)
        self.assertIn("hard limit is 1024", warning)

    def test_admin_listen(self) -> None:
        """An admin port that others reach is pointed out."""
        (warning,) = warnings(evolve(self.load(), admin_listen="tcp:8081"), 1024)
        self.assertIn("admin_listen", warning)

    def test_endpoint(self) -> None:
        """A storage that recordings reach unencrypted is pointed out."""
        config = self.load()
        for endpoint, count in (("http://minio:9000", 1), ("https://s3.example", 0)):
            s3 = evolve(config.s3, endpoint=endpoint)
            found = warnings(evolve(config, s3=s3), 1024)
            self.assertEqual(len(found), count)

    def test_llm_url(self) -> None:
        """A chat that is reached unencrypted is pointed out."""
        config = self.load()
        for url, count in (("http://gpu:8000/v1", 1), ("https://llm.example", 0)):
            llm = evolve(config.llm, url=url)
            self.assertEqual(len(warnings(evolve(config, llm=llm), 1024)), count)

    def test_public_url(self) -> None:
        """A public URL that Twilio cannot stream to is pointed out."""
        (warning,) = warnings(evolve(self.load(), public_url="http://a"), 1024)
        self.assertIn("wss", warning)


class NodeIdTests(SynchronousTestCase):
    """The name of a process."""

    def test_default(self) -> None:
        """It is made of host and process id, and fits into ids whatever the host is."""
        self.assertEqual(default_node_id("voice-1.example", 42), "voice-1.example-42")
        self.assertEqual(default_node_id("ü b", 42), "--b-42")
        self.assertLessEqual(len(default_node_id("x" * 300, 4194304)), 64)


class ReloadTests(_ConfigTestCase):
    """What holds after a reload."""

    def test_what_cannot_change_stays(self) -> None:
        """What only a new process can change keeps its value, nested or not."""
        now = self.load('listen = "tcp:1:interface=127.0.0.1"\nrecordings = ""')
        wanted = self.load('max_calls = 5\n[log]\nformat = "json"\nlevel = "warn"')
        merged = wanted.taking_over(now)
        self.assertEqual((merged.listen, merged.recordings), (now.listen, ""))
        self.assertEqual((merged.log.format, merged.log.level), ("text", "warn"))
        self.assertEqual(merged.max_calls, 5)
        self.assertEqual(now.changed(merged)[1], [])

    def test_trust_cannot_change(self) -> None:
        """A process never begins or ends to trust while it runs."""
        proven = self.load("")
        trusting = evolve(proven, trust_loopback=True)
        for wanted, now in ((proven, trusting), (trusting, proven)):
            self.assertRaises(ConfigError, wanted.taking_over, now)


class NumberTests(_ConfigTestCase):
    """Numbers as carriers say them."""

    def test_spelling(self) -> None:
        """However a number is said, what is set for it holds."""
        for said in (
            "+15550001234",
            "15550001234",
            " 15550001234",
            "+1 (555) 000-1234",
            "sip:+15550001234@example.com;transport=tls",
            "tel:+1-555-000-1234",
        ):
            self.assertEqual(normal_number(said), "+15550001234")
        self.assertEqual(normal_number("sip:front-desk@example.com"), "front-desk")
        self.assertEqual(normal_number(""), "")
