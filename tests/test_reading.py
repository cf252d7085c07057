"""Tests of reading all settings, and of what must fit together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.reading import Reading, contradictions
from twistedvoice.sources import Sources

_ACCOUNT = "AC" + "1" * 32


class ReadingTests(SynchronousTestCase):
    """Values and problems of one set of sources."""

    def reading(
        self,
        toml: str = "",
        environ: Mapping[str, str] | None = None,
        options: Mapping[str, object] | None = None,
    ) -> Reading:
        """What is read with ``toml`` in a file of its own."""
        self.path = self.mktemp()
        Path(self.path).write_text(toml)
        sources = Sources.open({"config": self.path, **(options or {})}, environ or {})
        return Reading.of(sources, node_id="here-1")

    def assertProblem(self, toml: str, *parts: str) -> None:
        """This is the only problem, and it says all this."""
        problems = self.reading(toml).problems
        self.assertEqual(len(problems), 1, problems)
        for part in parts:
            self.assertIn(part, problems[0])

    def test_defaults(self) -> None:
        """With nothing given all values are the defaults, and nothing is wrong."""
        reading = self.reading(environ={"STATE_DIRECTORY": "/state:/other"})
        self.assertEqual(reading.problems, [])
        self.assertEqual(reading.values["listen"], "tcp:8080:interface=127.0.0.1")
        self.assertEqual(reading.values["recordings"], "/state/recordings")
        self.assertEqual(reading.values["node_id"], "here-1")
        self.assertIsNone(reading.values["max_calls"])
        self.assertIsNone(reading.values["twilio.auth_token"])

    def test_state_directory(self) -> None:
        """What is kept goes where systemd says, then XDG, then under the home."""
        for environ, store in (
            ({"STATE_DIRECTORY": "/s", "HOME": "/h"}, "/s/store.sqlite"),
            (
                {"XDG_STATE_HOME": "/x", "HOME": "/h"},
                "/x/twistedvoice/store.sqlite",
            ),
            ({"HOME": "/h"}, "/h/.local/state/twistedvoice/store.sqlite"),
            ({}, "/var/lib/twistedvoice/store.sqlite"),
        ):
            values = self.reading(environ=environ).values
            self.assertEqual(values["store"], store)

    def test_braces(self) -> None:
        """Braces in a path that was given are part of the path."""
        values = self.reading('store = "/{state}"').values
        self.assertEqual(values["store"], "/{state}")

    def test_all_problems(self) -> None:
        """Every problem is reported, each with key, value, source and what to give."""
        reading = self.reading(
            "max_calls = -1\nlog.format = 'xml'\nnonsense = 1",
            {"TWISTEDVOICE_LEAD_MS": "5"},
            {"listen": "8080"},
        )
        self.assertEqual(
            reading.problems,
            [
                "nonsense: is not a setting",
                "listen: '8080' from --listen cannot be used; give a Twisted endpoint,"
                " such as tcp:8080:interface=127.0.0.1",
                f"max_calls: -1 from {self.path} cannot be used; give a whole number,"
                " 0 or more",
                "lead_ms: '5' from TWISTEDVOICE_LEAD_MS cannot be used; give a whole"
                " number, from 20 to 1000",
                f"log.format: 'xml' from {self.path} cannot be used; give one of text,"
                " json",
            ],
        )
        self.assertNotIn("max_calls", reading.values)

    def test_misplaced_secret(self) -> None:
        """A secret in the file is refused unseen, and it is said where it belongs."""
        self.assertProblem(
            'twilio.auth_token = "hush"',
            "twilio.auth_token: a secret must not be on",
            "TWISTEDVOICE_TWILIO__AUTH_TOKEN",
            "twilio.auth_token_file",
            "credential twilio_auth_token",
        )
        reading = self.reading('twilio.auth_token = "hush"')
        self.assertNotIn("hush", str(reading.problems))

    def test_secret_file(self) -> None:
        """A file with a secret is read; only the secret becomes a value."""
        path = self.mktemp()
        Path(path).write_text("hush\n")
        reading = self.reading(f'twilio.auth_token_file = "{path}"')
        self.assertEqual(reading.values["twilio.auth_token"], "hush")
        self.assertNotIn("twilio.auth_token_file", reading.values)

    def test_secret_file_missing(self) -> None:
        """A file that should hold a secret and cannot be read is a problem."""
        self.assertProblem(
            'twilio.api_key_secret_file = "/no/such"',
            "twilio.api_key_secret: /no/such: No such file or directory",
        )

    def test_subaccounts(self) -> None:
        """Each subaccount has its token at a place of its own."""
        path = self.mktemp()
        Path(path).write_text("two")
        other = "AC" + "2" * 32
        reading = self.reading(
            f'[twilio.subaccounts]\n{_ACCOUNT} = "env:ONE"\n{other} = "file:{path}"',
            {"ONE": "one"},
        )
        self.assertEqual(reading.problems, [])
        self.assertEqual(
            reading.values["twilio.subaccounts"], {_ACCOUNT: "one", other: "two"}
        )

    def test_subaccount_problems(self) -> None:
        """A subaccount needs a good id and a token that can be found."""
        head = "[twilio.subaccounts]\n"
        self.assertProblem(f'{head}{_ACCOUNT} = "env:NONE"', "nothing at env:NONE")
        self.assertProblem(f'{head}{_ACCOUNT} = "file:/no/such"', "No such file")
        self.assertProblem(f'{head}{_ACCOUNT} = "hush"', "give env:NAME, file:PATH")
        self.assertProblem("twilio.subaccounts = 1", "twilio.subaccounts: is a value")
        problems = self.reading(f'{head}AC1 = "hush"').problems
        self.assertEqual(len(problems), 2)
        self.assertNotIn("hush", str(problems))

    def test_agents(self) -> None:
        """An agent's table is taken as it is."""
        values = self.reading('[agents.desk]\nuse = "shop.Desk"\nmenu = { a = 1 }')
        self.assertEqual(
            values.values["agents"], {"desk": {"use": "shop.Desk", "menu": {"a": 1}}}
        )

    def test_agent_problems(self) -> None:
        """An agent is a table, and what it uses is a name."""
        self.assertProblem('[agents.desk]\nuse = "a b"', "agents.desk.use: 'a b'")
        self.assertProblem("[agents]\ndesk = 1", "agents: holds a value")
        self.assertProblem("agents = 1", "agents: is a value")

    def test_numbers(self) -> None:
        """A number has its own settings, then the default's, then the service's."""
        greeting = self.mktemp()
        Path(greeting).touch()
        numbers = self.reading(
            f"""
            agent = "echo"
            [numbers."+15550001111"]
            greeting = ""
            agent = "desk"
            [numbers.default]
            greeting = "{greeting}"
            consent = "never"
            [numbers."+15550002222"]
            recording = false
            transfer = "+15550003333"
            spend_cap = 0.5
            """
        ).values["numbers"]
        default = {
            "agent": "echo",
            "greeting": greeting,
            "recording": True,
            "consent": "never",
            "consent_key": "1",
            "transfer": None,
            "spend_cap": None,
        }
        self.assertEqual(numbers["default"], default)
        self.assertEqual(
            numbers["+15550001111"], default | {"agent": "desk", "greeting": None}
        )
        self.assertEqual(
            numbers["+15550002222"],
            default
            | {"recording": False, "transfer": "+15550003333", "spend_cap": 0.5},
        )

    def test_number_problems(self) -> None:
        """What is wrong with a number is told without telling the number."""
        label = 'numbers."+1555***1111"'
        head = '[numbers."+15550001111"]\n'
        self.assertProblem(f"{head}greting = 1", f"{label}.greting", "mean greeting?")
        self.assertProblem(f"{head}recording = 1", f"{label}.recording: 1 from")
        self.assertProblem(f'{head}greeting = "/no"', f"{label}.greeting: '/no'")
        self.assertProblem('[numbers."01555"]', 'numbers."***55": this value')
        self.assertProblem("numbers.default = 1", "numbers: holds a value")
        self.assertProblem("[numbers.default]\nrecord = 1", 'numbers."default".record')
        problems = self.reading(f'{head}transfer = "5550003333"').problems
        self.assertNotIn("5550003333", str(problems))


class ContradictionsTests(SynchronousTestCase):
    """Settings that do not fit together."""

    safe: dict[str, Any] = {
        "trust_loopback": False,
        "listen": "tcp:80",
        "public_url": "https://a.example",
        "twilio.auth_token": "x",
        "twilio.account_sid": None,
        "twilio.api_key_sid": None,
        "twilio.api_key_secret": None,
        "carrier_recording.enabled": False,
    }
    trusting = safe | {
        "trust_loopback": True,
        "listen": "tcp:80:interface=127.0.0.1",
        "public_url": None,
        "twilio.auth_token": None,
    }

    def assertKeys(self, values: Mapping[str, Any], *keys: str) -> None:
        """These keys have a problem, in this order."""
        found = [problem.split(":")[0] for problem in contradictions(values)]
        self.assertEqual(found, list(keys))

    def test_right(self) -> None:
        """A service that checks signatures, and one that trusts loopback, are right."""
        self.assertKeys(self.safe)
        self.assertKeys(self.trusting)
        self.assertKeys(self.trusting | {"listen": "unix:/run/x"})

    def test_trust_and_public(self) -> None:
        """A service that is reached from outside trusts nobody [SEC-1]."""
        self.assertKeys(self.trusting | {"public_url": "http://a"}, "trust_loopback")

    def test_trust_and_listen(self) -> None:
        """A service that listens to more than this machine trusts nobody [SEC-1]."""
        for listen in ("tcp:80", "systemd:domain=INET:index=0", "haproxy:tcp:80"):
            self.assertKeys(self.trusting | {"listen": listen}, "trust_loopback")

    def test_missing_proof(self) -> None:
        """Without trust the URL and the token are needed; it is said how to begin."""
        values = self.safe | {"public_url": None, "twilio.auth_token": None}
        self.assertKeys(values, "public_url", "twilio.auth_token")
        for problem in contradictions(values):
            self.assertIn("twistedvoice demo", problem)
            self.assertIn("--trust-loopback", problem)

    def test_recording_key(self) -> None:
        """A key that could be guessed is none; without one nothing is sealed."""
        self.assertKeys(self.safe | {"recording.key": None})
        self.assertKeys(self.safe | {"recording.key": "k" * 16})
        self.assertKeys(self.safe | {"recording.key": "k" * 15}, "recording.key")

    def test_encryption_key(self) -> None:
        """It has 32 bytes, and nothing may leave sound that is not encrypted."""
        key, name = "0f" * 32, "recording.encryption_key"
        self.assertKeys(self.safe | {name: None, "export.format": "flac"})
        self.assertKeys(self.safe | {name: key, "carrier_recording.keep_copy": False})
        for bad in ("hush", key[1:], key + "00"):
            self.assertKeys(self.safe | {name: bad}, name)
            self.assertNotIn(bad, *contradictions(self.safe | {name: bad}))
        for other, value in (
            ("export.format", "opus"),
            ("carrier_recording.keep_copy", True),
        ):
            self.assertKeys(self.safe | {name: key, other: value}, other)

    def test_workers(self) -> None:
        """Workers need a store that can be shared, and a port to hand down [CP-1]."""
        crew = self.safe | {"workers": 2, "store": "a.sqlite", "node_id": "n" * 58}
        self.assertKeys(crew)
        self.assertKeys(crew | {"store": "memory:"}, "store")
        self.assertKeys(crew | {"store": "memory:", "workers": 1})
        self.assertKeys(crew | {"node_id": "n" * 59}, "node_id")
        self.assertKeys(crew | {"node_id": "n" * 64, "workers": 1})

    def test_workers_and_listen(self) -> None:
        """What a parent cannot hand down is refused, for more than one worker."""
        crew = self.safe | {"workers": 2}
        for listen in ("tcp6:80", "ssl:443", "systemd:domain=INET6:name=public"):
            self.assertKeys(crew | {"listen": listen})
        for listen in ("unix:/x", "systemd:domain=UNIX:index=0", "haproxy:tcp:80"):
            self.assertKeys(crew | {"listen": listen}, "listen")
            self.assertKeys(crew | {"listen": listen, "workers": 1})

    def test_share_port(self) -> None:
        """Only a TCP port can be shared."""
        sharing = self.safe | {"share_port": True}
        for listen in ("tcp:80", "tcp6:80", "ssl:443"):
            self.assertKeys(sharing | {"listen": listen})
        for listen in ("unix:/x", "systemd:domain=INET:index=0"):
            self.assertKeys(sharing | {"listen": listen}, "share_port")

    def test_api_key(self) -> None:
        """An API key has two halves."""
        self.assertKeys(
            self.safe | {"twilio.api_key_sid": "SK"}, "twilio.api_key_secret"
        )
        self.assertKeys(
            self.safe | {"twilio.api_key_secret": "x"}, "twilio.api_key_sid"
        )

    def test_carrier_recording(self) -> None:
        """The carrier records only for an account that we have a key to."""
        values = self.trusting | {"carrier_recording.enabled": True}
        self.assertKeys(values, "twilio.account_sid", "twilio.api_key_sid")
        values["twilio.account_sid"] = _ACCOUNT
        self.assertKeys(values | {"twilio.auth_token": "x"})
        key = {"twilio.api_key_sid": "SK", "twilio.api_key_secret": "x"}
        self.assertKeys(values | key)

    def test_more_than_a_stream_to_end(self) -> None:
        """Where the markup goes on after the stream, a hang-up needs the API."""
        values = self.safe | {"after_stream": "rejoin"}
        self.assertKeys(values, "twilio.account_sid")
        self.assertKeys(values | {"twilio.account_sid": _ACCOUNT})
        self.assertKeys(self.trusting | {"after_stream": "rejoin"})

    def test_unread_values(self) -> None:
        """A value that could not be read is not reported a second time."""
        values = self.safe | {"carrier_recording.enabled": True}
        for key in ("public_url", "twilio.auth_token", "twilio.account_sid"):
            del values[key]
        self.assertKeys(values)
        del values["trust_loopback"]
        self.assertKeys(values)
        values = dict(self.trusting)
        del values["listen"]
        self.assertKeys(values)
