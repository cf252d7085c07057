# -*- test-case-name: tests.test_settings -*-
"""The table of all settings.

Option names, TOML keys, environment names, defaults, the help of ``--help`` and what
SIGHUP may change all come from here. Which value wins is decided in
:mod:`twistedvoice.sources`; what the service sees is :mod:`twistedvoice.config`.
"""

from __future__ import annotations

import difflib

from .kinds import (
    ACCESS_KEY_ID,
    ACCOUNT_SID,
    AFTER_STREAM,
    AGENT,
    AMOUNT_OR_NONE,
    API_KEY_SID,
    BUCKET,
    ENDPOINT,
    FILE_TO_READ,
    KEY_PREFIX,
    LATE_MS_OR_OFF,
    NODE_ID,
    PATH,
    PATH_OR_OFF,
    PHONE_NUMBER_OR_NONE,
    RECEIVER,
    REGION,
    SECONDS,
    SOCKET_URL,
    SWITCH,
    URL,
    choice,
    whole,
)
from .setting import Setting, secret

__all__ = [
    "NUMBER_SETTINGS",
    "SETTINGS",
    "TABLES",
    "did_you_mean",
    "usage_parameters",
]


def usage_parameters() -> tuple[list[list[str | None]], list[list[str | None]]]:
    """
    :returns: ``optParameters`` and ``optFlags`` for a ``twisted.python.usage.Options``.
        An option that was not given is None (a flag 0), so that weaker sources count.
    """
    parameters: list[list[str | None]] = [
        ["config", "c", None, "Read settings from this TOML file."]
    ]
    flags: list[list[str | None]] = []
    for setting in SETTINGS:
        if setting.is_flag:
            flags.append([setting.option, None, setting.help])
        elif setting.is_secret:
            refused = f"Refused: use --{setting.option}-file or {setting.environ}."
            parameters.append([setting.option, None, None, refused])
        else:
            default = setting.shown_default
            meant = f"{setting.help} [default: {default}]" if default else setting.help
            parameters.append([setting.option, None, None, meant])
    return parameters, flags


def did_you_mean(name: str, known: list[str]) -> str:
    """:returns: the end of a sentence that offers the nearest name, or nothing."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""


#: Tables that only TOML can hold. SIGHUP may change all of them.
TABLES = ("agents", "numbers", "twilio.subaccounts")

#: What may stand in ``[numbers."+15550001234"]`` and ``[numbers.default]``.
NUMBER_SETTINGS = (
    Setting(key="agent", kind=AGENT, help="The agent that answers."),
    Setting(
        key="greeting",
        kind=FILE_TO_READ,
        default="",
        help="WAV file that is said before anything else.",
    ),
    Setting(
        key="recording",
        kind=SWITCH,
        default="true",
        help="Whether calls to this number are recorded.",
    ),
    Setting(
        key="consent",
        kind=choice("always", "never", "key"),
        default="always",
        help="Whether callers agreed to be recorded; 'never' records nothing, 'key'"
        " nothing before they press consent_key.",
    ),
    Setting(
        key="consent_key",
        kind=choice(*"0123456789*#"),
        default="1",
        help="The key by which callers agree, where consent is 'key'.",
    ),
    Setting(
        key="transfer",
        kind=PHONE_NUMBER_OR_NONE,
        default="",
        help="Number that the agent hands callers to.",
    ),
    Setting(
        key="spend_cap",
        kind=AMOUNT_OR_NONE,
        default="",
        help="A call is ended when its agent has spent more than this.",
    ),
)

SETTINGS = (
    Setting(
        key="listen",
        kind=ENDPOINT,
        default="tcp:8080:interface=127.0.0.1",
        help="Endpoint for the carrier: webhooks and media.",
    ),
    Setting(
        key="admin_listen",
        kind=ENDPOINT,
        default="tcp:8081:interface=127.0.0.1",
        help="Endpoint for operators: readiness and metrics.",
    ),
    Setting(
        key="share_port",
        kind=SWITCH,
        default="false",
        help="Let a newer service listen on the same TCP port, and leave the port to it"
        " when this one drains.",
    ),
    Setting(
        key="workers",
        kind=whole(1),
        default="1",
        help="Processes that answer calls; above 1 they have a parent process.",
    ),
    Setting(
        key="public_url",
        kind=URL,
        help="How the carrier reaches the service from outside.",
        reload=True,
    ),
    Setting(
        key="trust_loopback",
        kind=SWITCH,
        default="false",
        help="For development: streams and webhooks from this machine need no proof.",
    ),
    Setting(
        key="agent",
        kind=AGENT,
        default="prompt",
        help="The agent that answers where no number says otherwise.",
        reload=True,
    ),
    Setting(
        key="after_stream",
        kind=AFTER_STREAM,
        default="hangup",
        help="What the caller gets when the stream ends before the call does:"
        " hangup, rejoin, or dial:NUMBER.",
        reload=True,
    ),
    Setting(
        key="max_calls",
        kind=whole(0),
        help="The most calls at once; 0 takes none, unset is no limit.",
        reload=True,
    ),
    Setting(
        key="overload.late_ms",
        kind=LATE_MS_OR_OFF,
        default="40",
        help="New calls are refused while one tick in a hundred is later; 0 for off.",
        reload=True,
    ),
    Setting(
        key="overload.dial",
        kind=PHONE_NUMBER_OR_NONE,
        help="Number for callers refused by overload.late_ms, instead of busy.",
        reload=True,
    ),
    Setting(
        key="drain_seconds",
        kind=SECONDS,
        default="60",
        help="How long live calls may go on after SIGTERM.",
        reload=True,
    ),
    Setting(
        key="longest_call_seconds",
        kind=SECONDS,
        default="14400",
        help="A call is ended when it has lasted this long.",
        reload=True,
    ),
    Setting(
        key="silence_seconds",
        kind=SECONDS,
        default="10",
        help="A call is ended when the carrier sent no media for this long.",
        reload=True,
    ),
    Setting(
        key="start_seconds",
        kind=SECONDS,
        default="3",
        help="A socket is closed when no stream started on it for this long.",
        reload=True,
    ),
    Setting(
        key="lead_ms",
        kind=whole(20, 1000),
        help="How far ahead of the ear the carrier is fed; unset: the carrier's own"
        " lead, 100 to 250 for Twilio. 20 is one frame a tick.",
        reload=True,
    ),
    Setting(
        key="store",
        kind=PATH,
        default="{state}/store.sqlite",
        help="SQLite file that the processes of one service share, or memory:.",
    ),
    Setting(
        key="node_id",
        kind=NODE_ID,
        default="{node}",
        help="What this process is called in ids; no two may share it.",
    ),
    Setting(
        key="cdr",
        kind=PATH_OR_OFF,
        default="{state}/cdr.jsonl",
        help="File that gets one line of JSON for each finished call.",
    ),
    Setting(
        key="comfort_silence",
        kind=SWITCH,
        default="false",
        help="Send frames of silence while there is nothing to say.",
        reload=True,
    ),
    Setting(
        key="recordings",
        kind=PATH_OR_OFF,
        default="{state}/recordings",
        help="Directory for the recordings.",
    ),
    Setting(
        key="recording.without_audio",
        kind=choice("keep", "discard"),
        default="keep",
        help="What becomes of the recording of a call in which nothing was said.",
        reload=True,
    ),
    Setting(
        key="recording.fsync",
        kind=choice("never", "second", "close"),
        default="close",
        help="When recordings reach the disk itself: never, second or close.",
    ),
    *secret("recording.key", "What recordings are sealed with.", reload=False),
    *secret(
        "recording.encryption_key",
        "What recordings are encrypted with: 32 bytes, in base64 or hex.",
        reload=False,
    ),
    *(
        Setting(
            key=f"retention.{what}",
            kind=whole(1),
            help=f"Recordings {beyond} are removed, the oldest first; unset: none.",
            reload=True,
        )
        for what, beyond in (
            ("days", "older than this"),
            ("gigabytes", "beyond this size, all together,"),
            ("recordings", "beyond this number"),
        )
    ),
    Setting(
        key="carrier_recording.enabled",
        kind=SWITCH,
        default="false",
        help="Have the carrier record calls too.",
    ),
    Setting(
        key="carrier_recording.base_url",
        kind=URL,
        default="https://api.twilio.com",
        help="Where the carrier's API is.",
    ),
    Setting(
        key="carrier_recording.keep_copy",
        kind=SWITCH,
        default="false",
        help="Keep the carrier's file beside ours once the two were compared.",
    ),
    Setting(
        key="export.format",
        kind=choice("off", "flac", "opus"),
        default="off",
        help="What recordings are exported to: off, flac or opus.",
    ),
    Setting(
        key="s3.bucket",
        kind=BUCKET,
        help="Bucket that recordings are uploaded into; unset: none are.",
    ),
    Setting(
        key="s3.region",
        kind=REGION,
        default="us-east-1",
        help="Region of the bucket.",
    ),
    Setting(
        key="s3.endpoint",
        kind=URL,
        help="Where the storage is, if it is not AWS.",
    ),
    Setting(
        key="s3.prefix",
        kind=KEY_PREFIX,
        default="",
        help="What the names of all objects begin with.",
    ),
    Setting(
        key="s3.access_key_id",
        kind=ACCESS_KEY_ID,
        help="The key that may write into the bucket.",
    ),
    *secret("s3.secret_access_key", "The secret of that key.", reload=False),
    Setting(
        key="outbox.attempts",
        kind=whole(1, 1_000),
        default="60",
        help="How often to try what must be done after a call, before it is parked.",
    ),
    Setting(
        key="webhook.url",
        kind=RECEIVER,
        help="Who is told when a recording is ready.",
    ),
    *secret(
        "webhook.secret",
        "The secret that signs what webhook.url is told: whsec_ and base64.",
        reload=False,
    ),
    *secret(
        "webhook.secret_secondary",
        "A second secret, for rotation.",
        reload=False,
    ),
    Setting(
        key="log.format",
        kind=choice("text", "json"),
        default="text",
        help="How the log is written: text or json.",
    ),
    Setting(
        key="log.level",
        kind=choice("debug", "info", "warn", "error", "critical"),
        default="info",
        help="The least that is logged: debug, info, warn, error or critical.",
        reload=True,
    ),
    Setting(
        key="twilio.account_sid",
        kind=ACCOUNT_SID,
        help="The account whose auth token is set.",
    ),
    *secret(
        "twilio.auth_token",
        "The auth token, which signs what Twilio sends.",
        reload=True,
    ),
    *secret(
        "twilio.auth_token_secondary",
        "A second auth token, for rotation.",
        reload=True,
    ),
    Setting(
        key="twilio.api_key_sid",
        kind=API_KEY_SID,
        help="API key for Twilio's REST API, instead of the auth token.",
    ),
    *secret("twilio.api_key_secret", "The secret of the API key.", reload=False),
    *secret("openai.api_key", "The key of the account at OpenAI.", reload=True),
    Setting(
        key="openai.url",
        kind=SOCKET_URL,
        default="wss://api.openai.com/v1/realtime",
        help="Where OpenAI's Realtime API is, or another that speaks as it does.",
        reload=True,
    ),
    *secret("gemini.api_key", "The key of the account at Google.", reload=True),
    Setting(
        key="gemini.url",
        kind=SOCKET_URL,
        default="wss://generativelanguage.googleapis.com/ws/"
        "google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent",
        help="Where the Gemini Live API is, or another that speaks as it does.",
        reload=True,
    ),
    *secret("deepgram.api_key", "The key of the account at Deepgram.", reload=True),
    Setting(
        key="deepgram.url",
        kind=SOCKET_URL,
        default="wss://api.deepgram.com/v1/listen",
        help="Where Deepgram's streaming speech-to-text is.",
        reload=True,
    ),
    *secret("llm.api_key", "The key for the chat model.", reload=True),
    Setting(
        key="llm.url",
        kind=URL,
        default="https://api.openai.com/v1",
        help="What /chat/completions follows, of any API that speaks as OpenAI's.",
        reload=True,
    ),
    *secret("cartesia.api_key", "The key of the account at Cartesia.", reload=True),
    Setting(
        key="cartesia.url",
        kind=SOCKET_URL,
        default="wss://api.cartesia.ai/tts/websocket",
        help="Where Cartesia's streaming text-to-speech is.",
        reload=True,
    ),
)
