# -*- test-case-name: tests.doubles.gemini.test_shapes -*-
"""What a client may send, field by field, from Gemini's documentation of 2026.

As strict as the API: a message has one kind, and what it does not know it refuses. Only
the names in camel case are taken. Knows no conversation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..shapes import (
    Problem,
    Shape,
    any_object,
    encoded,
    flag,
    list_of,
    number,
    object_of,
    one_of,
    text,
    whole,
)

__all__ = ["problem_with"]


def problem_with(message: Mapping[str, object]) -> Problem | None:
    """:returns: the first thing that is wrong with a client's message, if any."""
    if len(message) != 1:
        return Problem("one_kind", "", "A message has exactly one kind.")
    return next(_MESSAGE(message, ""), None)


_PART = object_of(
    text=text,
    inlineData=object_of(("data", "mimeType"), data=encoded, mimeType=text),
)
_CONTENT = object_of(("parts",), role=one_of("user", "model"), parts=list_of(_PART, 1))


def _schema(value: object, path: str) -> Iterator[Problem]:
    yield from object_of(
        ("type",),
        type=text,
        description=text,
        enum=list_of(text, 1),
        items=_schema,
        properties=_properties,
        required=list_of(text),
    )(value, path)


def _properties(value: object, path: str) -> Iterator[Problem]:
    if not isinstance(value, dict) or not value:
        yield Problem("empty", path, f"{path}: should be non-empty for OBJECT type")
        return
    for name, schema in value.items():
        yield from _schema(schema, f"{path}.{name}")


_FUNCTION = object_of(
    ("name",),
    name=text,
    description=text,
    parameters=_schema,
    behavior=one_of("BLOCKING", "NON_BLOCKING"),
)
_VOICE = object_of(prebuiltVoiceConfig=object_of(("voiceName",), voiceName=text))
_GENERATION = object_of(
    responseModalities=list_of(one_of("AUDIO", "TEXT"), 1, 1),
    temperature=number(0, 2),
    topP=number(0, 1),
    maxOutputTokens=whole(1, 65536),
    speechConfig=object_of(languageCode=text, voiceConfig=_VOICE),
)


def _sensitivity(edge: str) -> Shape:
    return one_of(*(f"{edge}_SENSITIVITY_{each}" for each in ("HIGH", "LOW")))


_DETECTION = object_of(
    disabled=flag,
    startOfSpeechSensitivity=_sensitivity("START"),
    endOfSpeechSensitivity=_sensitivity("END"),
    prefixPaddingMs=whole(0, 10_000),
    silenceDurationMs=whole(0, 10_000),
)
_INPUT = object_of(
    automaticActivityDetection=_DETECTION,
    activityHandling=one_of("START_OF_ACTIVITY_INTERRUPTS", "NO_INTERRUPTION"),
    turnCoverage=one_of("TURN_INCLUDES_ONLY_ACTIVITY", "TURN_INCLUDES_ALL_INPUT"),
)
_SETUP = object_of(
    ("model",),
    model=text,
    generationConfig=_GENERATION,
    systemInstruction=_CONTENT,
    tools=list_of(object_of(functionDeclarations=list_of(_FUNCTION))),
    realtimeInputConfig=_INPUT,
    sessionResumption=object_of(handle=text),
    contextWindowCompression=object_of(
        triggerTokens=text, slidingWindow=object_of(targetTokens=text)
    ),
    inputAudioTranscription=object_of(),
    outputAudioTranscription=object_of(),
)
_RESPONSE = object_of(
    ("id", "name", "response"),
    id=text,
    name=text,
    response=any_object,
    scheduling=one_of("INTERRUPT", "WHEN_IDLE", "SILENT"),
)
_MESSAGE: Any = object_of(
    setup=_SETUP,
    realtimeInput=object_of(
        audio=object_of(("data", "mimeType"), data=encoded, mimeType=text),
        audioStreamEnd=flag,
        activityStart=object_of(),
        activityEnd=object_of(),
        text=text,
    ),
    clientContent=object_of(turns=list_of(_CONTENT), turnComplete=flag),
    toolResponse=object_of(
        ("functionResponses",), functionResponses=list_of(_RESPONSE, 1)
    ),
)
