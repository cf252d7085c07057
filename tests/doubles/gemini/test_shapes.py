"""What a client may send, by the examples of the documentation."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.doubles.gemini.shapes import problem_with

__all__ = ["ShapesTests"]

FUNCTION: dict[str, Any] = {
    "name": "look",
    "description": "Looks it up.",
    "parameters": {
        "type": "object",
        "properties": {"at": {"type": "string", "enum": ["here", "there"]}},
        "required": ["at"],
    },
}
VOICE = {"prebuiltVoiceConfig": {"voiceName": "Puck"}}
SETUP: dict[str, Any] = {
    "model": "models/gemini-live",
    "generationConfig": {
        "responseModalities": ["AUDIO"],
        "temperature": 0.7,
        "speechConfig": {"languageCode": "en-US", "voiceConfig": VOICE},
    },
    "systemInstruction": {"parts": [{"text": "Be brief."}]},
    "tools": [{"functionDeclarations": [FUNCTION]}],
    "realtimeInputConfig": {
        "automaticActivityDetection": {
            "disabled": False,
            "startOfSpeechSensitivity": "START_SENSITIVITY_HIGH",
            "endOfSpeechSensitivity": "END_SENSITIVITY_LOW",
            "prefixPaddingMs": 20,
            "silenceDurationMs": 500,
        },
        "activityHandling": "START_OF_ACTIVITY_INTERRUPTS",
        "turnCoverage": "TURN_INCLUDES_ONLY_ACTIVITY",
    },
    "sessionResumption": {"handle": "h"},
    "contextWindowCompression": {
        "triggerTokens": "25600",
        "slidingWindow": {"targetTokens": "12800"},
    },
    "inputAudioTranscription": {},
    "outputAudioTranscription": {},
}
TURN = {"role": "user", "parts": [{"text": "Hi"}]}
RESULT = {"id": "1", "name": "look", "response": {"output": "it"}}
AUDIO = {"data": "AQI=", "mimeType": "audio/pcm;rate=16000"}


class ShapesTests(SynchronousTestCase):
    """What is right, and what is wrong with all else."""

    def test_right(self) -> None:
        """The examples of the documentation are taken."""
        right: list[dict[str, Any]] = [
            {"setup": SETUP},
            {"realtimeInput": {"audio": AUDIO}},
            {"realtimeInput": {"audioStreamEnd": True}},
            {"realtimeInput": {"activityStart": {}}},
            {"realtimeInput": {"text": "Hi"}},
            {"clientContent": {"turns": [TURN], "turnComplete": True}},
            {"toolResponse": {"functionResponses": [RESULT]}},
        ]
        for message in right:
            self.assertIsNone(problem_with(message))

    def test_wrong(self) -> None:
        """Anything else is refused by its place."""
        empty = {**FUNCTION, "parameters": {"type": "object", "properties": {}}}
        strict = {**FUNCTION, "parameters": {"type": "object", "strict": True}}
        tools = "setup.tools[0].functionDeclarations[0]"
        wrong: list[tuple[dict[str, Any], str | None]] = [
            ({}, ""),
            ({"setup": SETUP, "realtimeInput": {}}, ""),
            ({"sing": {}}, "sing"),
            ({"setup": {}}, "setup.model"),
            ({"setup": {**SETUP, "voice": "Puck"}}, "setup.voice"),
            ({"realtimeInput": {"audio": {**AUDIO, "data": "!"}}}, None),
            ({"toolResponse": {"functionResponses": []}}, None),
            (
                {"setup": {**SETUP, "tools": [{"functionDeclarations": [empty]}]}},
                f"{tools}.parameters.properties",
            ),
            (
                {"setup": {**SETUP, "tools": [{"functionDeclarations": [strict]}]}},
                f"{tools}.parameters.strict",
            ),
        ]
        for message, param in wrong:
            problem = problem_with(message)
            assert problem is not None, message
            if param is not None:
                self.assertEqual(problem.param, param)
